"""What Avisa writes is for its owner alone: whatever the umask is, and whatever link lies in its way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from avisa import private_file
from avisa.app.edges import exposed_store
from avisa.cli import umask
from avisa.embedded.broker import write_addresses
from avisa.embedded.inbox import Inbox
from avisa.settings import Settings, load
from avisa.store import StoreError, open_store
from avisa.store.migrate import upgrade
from tests.cli.test_command import Avisa, asked
from tests.fakes import HandClock, RealClock

__all__ = ["asked"]


@pytest.fixture(params=[0o000, 0o022, 0o027], ids=oct)
def usual_umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _store(folder: Path) -> None:
    asyncio.run(_open_and_look(folder))


async def _open_and_look(folder: Path) -> None:
    store = open_store(f"sqlite:///{folder / 'avisa.db'}", clock=RealClock(), exclusive=True)
    await store.start()
    await store.operations.remember("x", "y")
    names = set(os.listdir(folder))
    assert names >= {"avisa.db", "avisa.db-wal", "avisa.db-shm", "avisa.db.lock"}
    _only_its_owner(folder)
    await store.close()


def _migrated(folder: Path) -> None:
    asyncio.run(upgrade(f"sqlite:///{folder / 'avisa.db'}"))


def _mails(folder: Path) -> None:
    inbox = Inbox(HandClock(), folder=folder / "mails")
    (folder / "mails").mkdir(mode=0o700)
    inbox._write(folder / "mails", b"Subject: x\r\n\r\n")


def _addresses(folder: Path) -> None:
    write_addresses(folder, {"kafka": "127.0.0.1:1"})


WRITERS: list[Callable[[Path], None]] = [_store, _migrated, _mails, _addresses]


def _only_its_owner(folder: Path) -> None:
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("write", WRITERS)
def test_no_other_user_can_read_what_is_written(usual_umask: int, tmp_path: Path, write) -> None:
    write(tmp_path)
    _only_its_owner(tmp_path)


COMMANDS = [
    ("preview", "shipped", "--out", "new/folder"),
    ("migrate",),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_other_user_can_read_what_a_command_writes(
    usual_umask: int, tmp_path: Path, asked: Avisa, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no browser, no pictures
    assert asked(*words).code == 0
    _only_its_owner(tmp_path)


def test_plan_and_messages_are_as_public_as_the_users_umask_makes_them(
    usual_umask: int, tmp_path: Path, asked: Avisa
) -> None:
    assert asked("init", "mine").code == 0
    assert (tmp_path / "mine/plan.yaml").stat().st_mode & 0o777 == 0o666 & ~usual_umask
    assert os.umask(usual_umask) == usual_umask


def test_a_umask_is_put_back_when_its_command_fails() -> None:
    before = os.umask(0o022)
    try:
        with suppress(ValueError), umask.private(), umask.of_the_user():
            assert os.umask(0o022) == 0o022
            raise ValueError
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


LINKED = ["mail.eml", "mail.html", "mail.txt", "short.txt"]


@pytest.mark.parametrize("name", LINKED)
def test_a_link_in_the_way_is_replaced_and_its_target_stays(tmp_path: Path, name: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / name).symlink_to(precious)
    private_file.write(tmp_path / name, b"new")
    assert precious.read_text() == "mine"
    assert (tmp_path / name).read_text() == "new"
    assert not (tmp_path / name).is_symlink()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_mail_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "000001.eml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "000002.part").symlink_to(tmp_path / "elsewhere")
    Inbox(HandClock(), folder=tmp_path)._write(tmp_path, b"mail")
    assert not (tmp_path / "nowhere").exists()
    assert not (tmp_path / "elsewhere").exists()
    assert (tmp_path / "000002.eml").read_bytes() == b"mail"


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "avisa.db.lock").symlink_to(precious)
    with pytest.raises(StoreError, match="is a link"):
        _store(tmp_path)
    assert precious.read_text() == "mine"


def test_what_cannot_be_written_whole_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        private_file.write(tmp_path / "folder", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def _settings(file: Path) -> Settings:
    settings = load({"AVISA_STORE__URL": f"sqlite:///{file}"}, None)
    assert isinstance(settings, Settings)
    return settings


@pytest.mark.parametrize(
    ("modes", "folder", "named"),
    [
        ({"avisa.db": 0o644}, 0o755, ["avisa.db"]),
        ({"avisa.db": 0o600, "avisa.db-wal": 0o604}, 0o755, ["avisa.db-wal"]),
        ({"avisa.db": 0o602}, 0o711, ["avisa.db"]),
        ({"avisa.db": 0o640}, 0o755, []),
        ({"avisa.db": 0o600}, 0o755, []),
        ({"avisa.db": 0o644}, 0o700, []),  # nobody else comes so far
    ],
)
def test_a_start_says_that_others_can_read_the_store_and_how_to_mend_it(
    tmp_path: Path, modes: dict[str, int], folder: int, named: list[str]
) -> None:
    for name, mode in modes.items():
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    tmp_path.chmod(folder)
    cautions = exposed_store(_settings(tmp_path / "avisa.db"))
    tmp_path.chmod(0o700)
    if not named:
        assert cautions == []
        return
    (caution,) = cautions
    assert caution.endswith("chmod o= " + " ".join(str(tmp_path / name) for name in named))
