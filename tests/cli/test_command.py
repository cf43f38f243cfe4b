"""`avisa` as an operator or a script runs it: a process of its own, on a SQLite file."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from avisa.cli import dead_letters, main
from avisa.cli.pages import PAGE
from avisa.core.model import Fact, Position, Reason
from avisa.core.promise import Promise, PromiseState
from avisa.ports import Change, Entry, Record, Tally, Unreadable
from avisa.store import open_store
from tests import builders
from tests.cli.histories import at
from tests.cli.test_reads import ENTRY_KEYS, OUTBOX_KEYS
from tests.fakes import RealClock
from tests.templates.harness import shipped
from tests.templates.test_folder import laid_out
from tests.tools.parts import needs
from tests.tools.postgres import Postgres
from tests.tools.waiting import PATIENCE

CANARY = "ana.canary@example.pt"
KEY = "A-1/1/update/1/customer"
COMMANDS = (
    "run demo init check preview send-test templates publish timeline outbox counts dead-letters pause resume migrate"
    " config why explain simulate"
)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as the one document that it must be."""
        return json.loads(self.out)


Avisa = Callable[..., Ended]


@pytest.fixture
@needs("process")
def avisa(tmp_path: Path) -> Avisa:
    """Runs the command in an empty folder, with no setting but those given."""

    def run(*words: str, stdin: str = "", **settings: str) -> Ended:
        own = {name: value for name, value in os.environ.items() if not name.startswith("AVISA_")}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "avisa.cli", *words],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=own | {"PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "160"} | settings,
            timeout=PATIENCE,
        )
        assert CANARY not in done.stdout + done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Avisa]:
    """The same within this process, which is quicker."""
    handlers, level, logs = logging.root.handlers[:], logging.root.level, structlog.get_config()

    def run(*words: str, **settings: str) -> Ended:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "160")
        for name in [name for name in os.environ if name.startswith("AVISA_")]:
            monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        code = main(words)
        printed = capfd.readouterr()
        assert CANARY not in printed.out + printed.err
        return Ended(code, printed.out, printed.err)

    yield run
    logging.root.handlers[:], logging.root.level = handlers, level
    structlog.configure(**logs)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A store with one order, one notification that waits, and one dead letter."""
    asyncio.run(_keep(f"sqlite:///{tmp_path / 'avisa.db'}"))
    return tmp_path


async def _keep(url: str) -> None:
    store = open_store(url, clock=RealClock(), exclusive=True)
    await store.start()
    order = builders.order(
        status_rank=(1, 1, 1),
        entered_at=at(2, 10),
        feed="orders.status/0",
        facts={
            "customer.email": Fact(rank=(1, 1, 1), value=CANARY),
            "promised_at": Fact(rank=(1, 1, 1), value="2026-03-09"),
        },
        promise=Promise(date="2026-03-09", state=PromiseState.OPEN, since=at(2, 10)),
        told_until=at(3, 10),
        deadline=at(3, 10),
        wake_at=at(3, 10),
        seq=1,
    )
    notification = builders.notification(decided_at=at(2, 10), next_update=at(3, 10))
    assert notification.key == KEY
    entry = Entry(
        order_id="A-1",
        at=at(2, 10),
        kind="event",
        reason=Reason.ENTERED,
        status="confirmed",
        episode=1,
        event_id="e1",
    )
    await store.orders.commit(
        [Change(order=order, notifications=(notification,), entries=(entry,))],
        tally=Tally(by_reason={("orders.status/0", Reason.ENTERED): 1}),
        dead_letters=[_dead(f"{{{CANARY}".encode(), offset=7, reason=Reason.NOT_JSON)],
        now=at(2, 10),
    )
    await store.close()


async def _keep_orders(url: str, *order_ids: str) -> None:
    """One message each, an hour after that of the first order."""
    store = open_store(url, clock=RealClock(), exclusive=True)
    await store.start()
    told = {order_id: builders.notification(order_id, decided_at=at(2, 11)) for order_id in order_ids}
    changes = [Change(order=builders.order(name), notifications=(it,)) for name, it in told.items()]
    await store.orders.commit(changes, now=at(2, 11))
    await store.close()


async def _keep_dead(url: str, *values: bytes) -> None:
    store = open_store(url, clock=RealClock(), exclusive=True)
    await store.start()
    dead = [_dead(value, offset=offset, reason=Reason.NO_SEQUENCE) for offset, value in enumerate(values, start=8)]
    await store.orders.commit([], dead_letters=dead, now=at(2, 11))
    await store.close()


def _dead(value: bytes, *, offset: int, reason: Reason) -> Unreadable:
    position = Position(topic="orders.status", partition=0, offset=offset)
    record = Record(position=position, timestamp=at(2, 10), key=None, headers=(), value=value)
    return Unreadable(record=record, stage="envelope", reason=reason, message="not JSON")


# ---------------------------------------------------------------- looking


def test_promises_are_listed_by_state_and_owner(asked: Avisa, kept: Path) -> None:
    (stands,) = asked("promises", "--json").json
    assert (stands["order_id"], stands["date"], stands["state"]) == ("A-1", "2026-03-09", "open")
    assert stands["owner"] == "production"
    assert asked("promises", "--state", "kept", "--json").json == []
    assert [it["order_id"] for it in asked("promises", "--owner", "production", "--json").json] == ["A-1"]
    assert asked("promises", "--owner", "care", "--json").json == []
    assert "2026-03-09" in asked("promises").out
    assert asked("promises", "--state", "missed").code == 64
    assert asked("promises", "--owner", "nobody").code == 64


def test_timeline_has_the_status_the_promise_and_every_entry(avisa: Avisa, asked: Avisa, kept: Path) -> None:
    document = avisa("timeline", "A-1", "--json").json
    assert (document["order_id"], document["status"], document["final"]) == ("A-1", "confirmed", False)
    assert (document["wake_at"], document["next_update"]) == ("2026-03-03T10:00:00Z", "2026-03-03T10:00:00Z")
    assert document["promise"] == {"date": "2026-03-09", "state": "open"}
    assert [(entry["kind"], entry["reason"]) for entry in document["entries"]] == [
        ("event", "entered"),
        ("decision", "entered"),
    ]
    assert set(document["entries"][0]) >= ENTRY_KEYS
    shown = asked("timeline", "A-1")
    assert shown.code == 0
    assert "Monday 2 March 2026" in shown.out
    assert "a new status" in shown.out


def test_outbox_lists_retries_and_drops_notifications(asked: Avisa, kept: Path) -> None:
    (row,) = asked("--json", "outbox", "--state", "queued", "--order", "A-1").json
    assert set(row) >= OUTBOX_KEYS
    assert row["key"] == KEY
    assert asked("outbox", "--state", "sent", "--json").json == []
    assert asked("outbox", "retry", KEY, "--json").json == {"retried": [KEY], "left": []}
    some = asked("outbox", "drop", KEY, "A-1/9/update/1/customer", "--json")
    assert some.code == 1
    assert some.json == {"dropped": [KEY], "left": ["A-1/9/update/1/customer"]}
    (row,) = asked("outbox", "--json").json
    assert (row["state"], row["reason"]) == ("dropped", "dropped_by_operator")
    assert KEY in asked("outbox").out


def test_a_long_list_comes_in_pages_the_newest_first(asked: Avisa, kept: Path) -> None:
    asyncio.run(_keep_dead(f"sqlite:///{kept / 'avisa.db'}", *(b"%d" % n for n in range(PAGE))))
    assert len(asked("dead-letters", "--json").json) == PAGE + 1  # for programs, all of it
    page = asked("dead-letters")
    assert f"@{PAGE + 7}" in page.out
    assert "@7 " not in page.out
    assert "There are older ones: avisa dead-letters list --before 2\n" in page.out
    oldest = asked("dead-letters", "list", "--before", "2")
    assert "@7 " in oldest.out
    assert "older ones" not in oldest.out
    page = asked("dead-letters", "list", "--limit", "2")
    assert f"avisa dead-letters list --limit 2 --before {PAGE}\n" in page.out
    letters = asked("dead-letters", "list", "--limit", "2", "--before", str(PAGE), "--json").json
    assert [letter["id"] for letter in letters] == [PAGE - 2, PAGE - 1]
    assert asked("dead-letters", "list", "--limit", "0").code == 64


def test_the_outbox_comes_in_pages_too(asked: Avisa, kept: Path) -> None:
    asyncio.run(_keep_orders(f"sqlite:///{kept / 'avisa.db'}", "it's A", "B"))
    page = asked("outbox", "--limit", "2", "--state", "queued", COLUMNS="50")
    assert KEY not in page.out
    (command,) = re.findall(r"older ones: avisa (.*)", page.out)
    assert shlex.split(command)[:5] == ["outbox", "--state", "queued", "--limit", "2"]
    (row,) = asked(*shlex.split(command), "--json").json
    assert row["key"] == KEY
    assert "older ones" not in asked("outbox").out
    page = asked("outbox", "--order", "B", "--limit", "1", "--before", "B/1/update/1/customer")
    assert "Nothing here." in page.out
    unknown = asked("outbox", "--before", "B/9/update/1/customer", "--json")
    assert (unknown.code, unknown.json["error"]) == (1, "not_found")


def test_counts_of_a_store_add_up(asked: Avisa, kept: Path) -> None:
    document = asked("counts", "--json").json
    assert document["events"] == {"read": 2, "by_reason": {"entered": 1}, "dead_letters": 1}
    assert document["notifications"]["decided"] == sum(document["notifications"]["by_state"].values()) == 1
    assert asked("counts").code == 0


def test_dead_letters_are_listed_without_what_they_hold(asked: Avisa, kept: Path) -> None:
    for words in (["dead-letters"], ["dead-letters", "list"]):
        (letter,) = asked(*words, "--json").json
        assert letter | {"id": 0, "at": ""} == {
            "id": 0,
            "topic": "orders.status",
            "partition": 0,
            "offset": 7,
            "stage": "envelope",
            "reason": "not_json",
            "message": "not JSON",
            "at": "",
            "state": "open",
        }
        assert "orders.status/0@7" in asked(*words).out


def test_a_dead_letter_that_still_cannot_be_read_stays(asked: Avisa, kept: Path) -> None:
    (letter,) = asked("dead-letters", "--json").json
    ended = asked("dead-letters", "replay", str(letter["id"]), "99", "--json")
    assert (ended.code, ended.json) == (1, {"replayed": 0, "failed": 2})
    (letter,) = asked("dead-letters", "--json").json
    assert letter["state"] == "open"


def test_a_dead_letter_is_taken_in_once_it_can_be(asked: Avisa, kept: Path) -> None:
    """It had no sequence while the plan ranked by it; now the plan is mended."""
    value = b'{"order_id": "B-2", "status": "confirmed", "customer": {"email": "ana.canary@example.pt"}}'
    asyncio.run(_keep_dead(f"sqlite:///{kept / 'avisa.db'}", value))
    ended = asked("dead-letters", "replay", "--all", "--json")
    assert (ended.code, ended.json) == (1, {"replayed": 1, "failed": 1})
    assert asked("timeline", "B-2", "--json").json["entries"][0]["kind"] == "event"
    assert {letter["state"] for letter in asked("dead-letters", "--json").json} == {"open", "replayed"}
    assert asked("dead-letters", "replay", "--all", "--json").json == {"replayed": 0, "failed": 1}


def test_a_better_mapping_heals_the_past(asked: Avisa, kept: Path) -> None:
    """Records of another shape, set aside before the plan had a feed for their topic, and one that is no news."""
    rows = [{"op": "c", "after": {"id": 11, "state": "shipped"}}, {"op": "d", "before": {"id": 11}, "after": None}]
    asyncio.run(_keep_dead(f"sqlite:///{kept / 'avisa.db'}", *(json.dumps(row).encode() for row in rows)))
    assert asked("dead-letters", "replay", "2", "3", "--json").json == {"replayed": 0, "failed": 2}
    assert asked("init", "mine").code == 0
    feed = "feeds: {orders.status: {envelope: debezium, fields: {order_id: after.id, status: after.state}}}\n"
    with (kept / "mine" / "plan.yaml").open("a") as plan:
        plan.write(feed)
    ended = asked("dead-letters", "replay", "2", "3", "--json", AVISA_TEMPLATES="mine")
    assert (ended.code, ended.json) == (0, {"replayed": 2, "failed": 0})
    assert asked("timeline", "11", "--json").json["status"] == "shipped"
    counted = asked("counts", "--json").json["events"]
    assert (counted["by_reason"]["deleted"], counted["dead_letters"]) == (1, 1)
    assert counted["read"] == sum(counted["by_reason"].values()) + counted["dead_letters"]


def test_replaying_all_takes_a_few_at_a_time(asked: Avisa, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "_AT_ONCE", 2)
    values = [b'{"order_id": "B-%d", "status": "confirmed"}' % n for n in range(5)]
    asyncio.run(_keep_dead(f"sqlite:///{kept / 'avisa.db'}", *values))
    ended = asked("dead-letters", "replay", "--all", "--json")
    assert (ended.code, ended.json) == (1, {"replayed": 5, "failed": 1})
    counted = asked("counts", "--json").json["events"]
    assert counted == {"read": 7, "by_reason": {"entered": 1, "too_old_to_tell": 5}, "dead_letters": 1}
    assert asked("dead-letters", "replay", "6", "2", "--json").json == {"replayed": 0, "failed": 2}


def test_publishing_to_nobody_is_told(asked: Avisa, tmp_path: Path) -> None:
    assert asked("publish", "nowhere.jsonl", "--json").json["error"] == "not_found"
    (tmp_path / "events.jsonl").write_text('{"order_id": "A-1", "status": "confirmed"}\n')
    ended = asked("publish", "events.jsonl", "--json")
    assert (ended.code, ended.json["error"]) == (1, "unreachable")
    ended = asked("publish", "events.jsonl", "--json", AVISA_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert (ended.code, ended.json["error"]) == (1, "unreachable")


def test_pause_keeps_its_reason_until_resume(asked: Avisa, kept: Path) -> None:
    assert asked("pause", "--reason", "the relay moves", "--json").json == {
        "paused": True,
        "reason": "the relay moves",
    }
    assert asked("resume", "--json").json == {"paused": False, "reason": None}


# ---------------------------------------------------------------- what is not there, and what is wrong


def test_an_order_that_is_not_there_exits_with_1(asked: Avisa, kept: Path) -> None:
    ended = asked("timeline", "B-2", "--json")
    assert ended.code == 1
    assert set(ended.json) == {"error", "message"}
    ended = asked("timeline", "B-2")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("avisa: ")


def test_a_store_that_is_not_there_exits_with_74(asked: Avisa) -> None:
    for words in (["counts"], ["pause"], ["timeline", "A-1"]):
        ended = asked(*words, "--json")
        assert ended.code == 74
        assert ended.json["error"] == "storage"


def test_a_store_that_does_not_answer_exits_with_74(asked: Avisa) -> None:
    ended = asked("counts", "--json", AVISA_STORE__URL="postgresql://u:hunter2-canary@127.0.0.1:1/x")
    assert ended.code == 74
    assert "canary" not in ended.out + ended.err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["timeline"],
        ["timeline", "A", "B"],
        ["timeline", "--nope", "A"],
        ["outbox", "retry"],
        ["outbox", "--state", "asleep"],
        ["dead-letters", "replay"],
        ["dead-letters", "replay", "1", "--all"],
        ["dead-letters", "replay", "one"],
        ["demo", "--speed", "0"],
        ["send-test"],
        ["templates", "diff", "--x"],
        ["templates", "pull"],
        ["templates", "pull", "3"],
        ["templates", "pull", "1", "a", "b"],
        ["timeline", "A-1", "--out", "x"],
        ["simulate"],
        ["snooze", "A-1", "2d"],
        ["snooze", "--until", "2d"],
        ["snooze", "--until", "2d", "--order", "A-1", "--brand", "b"],
        ["snooze", "--until", "2026-03-09T10:00", "--order", "A-1"],
        ["snooze", "--until", "soon", "--order", "A-1"],
        ["snooze", "--until", "401d", "--order", "A-1"],
        ["note", "A-1", " "],
        ["erase", "A-1"],
    ],
)
def test_a_usage_error_exits_with_64(asked: Avisa, words: list[str]) -> None:
    ended = asked(*words, "--json")
    assert ended.code == 64
    if words:
        assert set(ended.json) == {"error", "message"}


def test_a_command_not_supported_yet_exits_with_64(asked: Avisa) -> None:
    ended = asked("erase", "A-1")
    assert (ended.code, ended.err) == (64, "avisa: erase: not supported yet\n")


@pytest.mark.parametrize("command", [["run"], ["demo"], ["counts"], ["config"], ["migrate"], ["publish", "-"]])
def test_wrong_settings_exit_with_78_a_line_each_and_no_secret(asked: Avisa, command: list[str]) -> None:
    wrong = {
        "AVISA_SMTP__PASSWROD": "hunter2-canary",
        "AVISA_HTTP__PORT": "canary",
        "AVISA_STORE__URL": "postgresq://u:hunter2-canary@h/db",
    }
    ended = asked(*command, **wrong)
    assert ended.code == 78
    lines = ended.err.splitlines()
    assert len(lines) == 3
    assert all(re.match(r"avisa: AVISA_[A-Z_]+: ", line) for line in lines)
    assert "did you mean AVISA_SMTP__PASSWORD?" in ended.err
    assert "canary" not in ended.err + ended.out
    assert asked(*command, "--json", **wrong).json["error"] == "configuration"


# ---------------------------------------------------------------- setting up


def test_migrate_applies_what_its_check_found_missing(asked: Avisa) -> None:
    before = asked("migrate", "--check", "--json")
    assert before.code == 1
    assert before.json["from"] is None
    done = asked("migrate", "--json")
    assert done.code == 0
    assert done.json["to"] == before.json["to"]
    assert done.json["applied"] == before.json["missing"]
    again = asked("migrate", "--check", "--json")
    assert (again.code, again.json["from"]) == (0, done.json["to"])
    assert "up to date" in asked("migrate").out
    assert done.json["contracts"] == []


@pytest.mark.needs_postgres
def test_migrate_leaves_a_contract_until_it_is_asked_for(asked: Avisa, postgres: Postgres) -> None:
    store = {"AVISA_STORE__URL": postgres.database()}
    name = store["AVISA_STORE__URL"].rpartition("/")[2]
    assert asked("migrate", **store).code == 0
    postgres.sql("UPDATE alembic_version SET version_num = '0010'", name)
    done = asked("migrate", **store)
    assert (done.code, "`avisa migrate --contract` brings it to 0013" in done.out) == (0, True)
    left = asked("migrate", "--check", **store)
    assert (left.code, "`avisa migrate --contract` brings it to 0013" in left.out) == (0, True)
    assert asked("migrate", "--check", "--contract", **store).code == 1
    assert asked("migrate", "--contract", **store).code == 0
    assert asked("migrate", "--check", "--contract", **store).code == 0
    postgres.sql("UPDATE alembic_version SET version_num = '9999'", name)
    later = asked("migrate", "--check", **store)
    assert (later.code, "which a later version made: run that one" in later.out) == (1, True)


def test_a_folder_that_init_wrote_passes_check_and_preview(
    asked: Avisa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no browser, no pictures
    written = asked("init", "mine", "--json").json
    assert "mine/plan.yaml" in written["files"]
    assert asked("init", "mine", "--json").json["error"] == "exists"
    assert asked("check", "mine", "--json").json == {"ok": True, "problems": []}
    assert asked("check", AVISA_TEMPLATES="mine").code == 0

    made = asked("preview", "shipped", "--locale", "pt-BR", "--out", "out", "--json").json
    assert made["files"][:4] == ["out/mail.eml", "out/mail.html", "out/mail.txt", "out/short.txt"]
    assert made["subject"]
    assert all((tmp_path / file).stat().st_size > 20 for file in made["files"])
    assert asked("preview", "shipped").code == 0
    for words in (["nope"], ["shipped", "--locale", "xx"], ["shipped", "--sample", "nope"]):
        assert asked("preview", *words, "--json").json["error"] == "not_found"


def test_a_folder_with_a_mistake_passes_neither(asked: Avisa, tmp_path: Path) -> None:
    plan = laid_out(tmp_path / "mine", shipped("en")) / "plan.yaml"
    plan.write_text(plan.read_text() + "\nnonsense: 1\n")
    ended = asked("check", "mine", "--json")
    assert (ended.code, ended.json["ok"]) == (1, False)
    (problem,) = ended.json["problems"]
    assert set(problem) == {"code", "severity", "file", "line", "column", "message", "suggestion"}
    assert (problem["file"], problem["severity"]) == ("plan.yaml", "error")
    assert f"plan.yaml:{problem['line']}" in asked("check", "mine").out
    assert asked("preview", "shipped", "--json", AVISA_TEMPLATES="mine").json["error"] == "problems"
    assert asked("check", "nowhere", "--json").json["error"] == "not_found"


def test_config_masks_secrets_and_names_sources(asked: Avisa, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AVISA_SMTP__HOST=mail.example.com\n")
    secrets = {
        "AVISA_STORE__URL": "postgresql://u:hunter2-canary@db/asked?sslmode=verify-full",
        "AVISA_SMTP__USERNAME": "u",
        "AVISA_SMTP__PASSWORD": "hunter2-canary",
    }
    ended = asked("config", "--json", **secrets)
    settings = ended.json["settings"]
    assert settings["AVISA_SMTP__HOST"] == {"value": "mail.example.com", "source": ".env"}
    assert settings["AVISA_SMTP__PASSWORD"] == {"value": "****", "source": "environment"}
    assert settings["AVISA_HTTP__PORT"] == {"value": 8080, "source": "default"}
    assert "canary" not in ended.out + asked("config", **secrets).out


def test_help_names_every_command(asked: Avisa) -> None:
    ended = asked("--help")
    assert ended.code == 0
    assert set(re.findall(r"^  ([a-z-]+) ", ended.out, re.MULTILINE)) >= set(COMMANDS.split())
    assert asked("--version", "--json").json["version"]


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from avisa.cli import main; main(['--help']);"
        "heavy = {'sqlalchemy', 'faststream', 'pydantic', 'jinja2', 'babel', 'alembic'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, cwd=Path(__file__).parents[2])


@needs("process")
def test_a_reader_that_has_seen_enough_is_no_fault(kept: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "avisa.cli", "counts"],
        stdout=write,
        stderr=subprocess.PIPE,
        cwd=kept,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=PATIENCE,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
