"""`avisa templates` as an operator uses it, on a SQLite file, and a mail shown again."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avisa.catalog import KeptCatalog, content_of
from avisa.cli.views import versions
from avisa.core import samples
from avisa.core.model import Notification, Order, State
from avisa.core.template_versions import Origin, Version
from avisa.ports import Attempt, Change, Claimed, Draft
from avisa.store import Store, open_store
from tests.cli.histories import at
from tests.cli.test_command import Avisa, asked
from tests.fakes import RealClock
from tests.store.harness import LEASE, READER, settlement
from tests.templates import harness as templates

__all__ = ["asked"]

WORDS = {"AVISA_TEMPLATES": "words"}


@pytest.fixture
def folder(asked: Avisa, tmp_path: Path) -> Path:
    """A small folder, and a store with nothing in it."""
    assert asked("migrate").code == 0
    for name, text in templates.files().items():
        (tmp_path / "words" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "words" / name).write_text(text)
    return tmp_path / "words"


def say(folder: Path, words: str) -> None:
    (folder / "messages/plain/en.md").write_text(templates.PLAIN.replace("Order", words))


def with_store(folder: Path, use: Callable[[Store], Any]) -> Any:
    async def inside() -> Any:
        store = open_store(f"sqlite:///{folder.parent / 'avisa.db'}", clock=RealClock(), exclusive=False)
        await store.start()
        try:
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(inside())


def test_pushed_words_can_be_compared_rolled_back_and_listed(asked: Avisa, folder: Path) -> None:
    assert asked("templates", "history").out == "Nothing was put in force yet.\n"
    first = asked("templates", "push", "--note", "the first", "--author", "ana", "--json", **WORDS)
    assert first.json | {"at": "", "hash": "", "parent": ""} == {
        "version": 1, "hash": "", "parent": "", "at": "", "author": "ana", "note": "the first", "origin": "push",
        "pushed": True,
    }  # fmt: skip
    say(folder, "Parcel")
    shown = asked("templates", "diff", **WORDS)
    assert shown.code == 0
    assert re.search(r"^-.*Order", shown.out, re.MULTILINE)
    assert re.search(r"^\+.*Parcel", shown.out, re.MULTILINE)
    assert "--- messages/plain/en.md (version 1)" in shown.out
    second = asked("templates", "push", "--author", "joão", "--json", **WORDS).json
    assert (second["version"], second["parent"]) == (2, first.json["hash"])
    assert asked("templates", "push", **WORDS).out == "These words are in force already, as version 2.\n"
    assert asked("templates", "diff", **WORDS).out.endswith("are the same.\n")
    difference = asked("templates", "diff", "1", second["hash"][:6], "--json").json
    assert [(one["file"], one["change"]) for one in difference["files"]] == [("messages/plain/en.md", "changed")]

    back = asked("templates", "rollback", "--note", "too loud", "--author", "ana", "--json").json
    assert (back["version"], back["hash"], back["origin"], back["note"]) == (
        3, first.json["hash"], "rollback", "too loud",
    )  # fmt: skip
    assert asked("templates", "rollback", "--json").json["error"] == "usage", "to which one?"
    assert not asked("templates", "rollback", "1", "--json").json["pushed"]
    history = asked("templates", "history", "--json").json
    assert [(one["version"], one["author"], one["newest"], one["in_force_on"]) for one in history] == [
        (3, "ana", True, []),
        (2, "joão", False, []),
        (1, "ana", False, []),
    ]
    assert [one["parent"] for one in history] == [second["hash"], first.json["hash"], None]
    newest = asked("templates").out.splitlines()[:3]
    assert re.fullmatch(r"version 3  .* UTC  ana, rolled back", newest[0])
    assert newest[1:] == ["    too loud", f"    {first.json['hash']} after {second['hash']}"]


def test_a_pulled_folder_can_be_edited_and_pushed(asked: Avisa, folder: Path) -> None:
    asked("templates", "push", **WORDS)
    pulled = asked("templates", "pull", "desk", "--json").json
    assert (pulled["version"], pulled["folder"]) == (1, "desk")
    assert "desk/plan.yaml" in pulled["written"]
    here = folder.parent / "desk"
    assert (here / "messages/plain/en.md").read_text() == (folder / "messages/plain/en.md").read_text()
    say(here, "Parcel")
    refused = asked("templates", "pull", "desk", "--json")
    assert (refused.code, refused.json["error"]) == (1, "unpushed")
    assert "Parcel" in (here / "messages/plain/en.md").read_text()
    assert asked("templates", "push", "desk", "--json").json["version"] == 2

    (here / "notes.txt").write_text("mine")
    (here / "messages/plain/es.md").write_text(templates.PLAIN)
    assert asked("templates", "push", "desk", "--json").json["version"] == 3
    assert asked("templates", "pull", "2", "desk", "--json").json["removed"] == ["desk/messages/plain/es.md"]
    assert not (here / "messages/plain/es.md").exists()
    assert (here / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in here.iterdir()) == ["layout", "messages", "notes.txt", "plan.yaml"]


def test_a_pull_into_a_folder_that_cannot_be_written_fails(asked: Avisa, folder: Path) -> None:
    asked("templates", "push", **WORDS)
    say(folder, "Parcel")
    asked("templates", "push", **WORDS)
    (folder / "messages/plain/en.md").unlink()
    (folder / "messages/plain/en.md").mkdir()
    assert asked("templates", "pull", "1", "words", "--json").json["error"] == "unpushed"
    (folder.parent / "file").write_text("")
    ended = asked("templates", "pull", "1", "file/words", "--json")
    assert (ended.code, ended.json["error"]) == (74, "storage")
    assert (
        with_store(
            folder, lambda store: store.versions.based_on(f"{socket.gethostname()}:{folder.parent}/file/words")
        )
        is None
    )


def test_who_was_overtaken_has_to_merge(asked: Avisa, folder: Path) -> None:
    asked("templates", "push", **WORDS)
    asked("templates", "pull", "desk")
    say(folder, "Parcel")
    asked("templates", "push", **WORDS)
    say(folder.parent / "desk", "Packet")
    late = asked("templates", "push", "desk")
    assert late.code == 1
    assert "made of version 1; it would undo version 2; nothing was pushed" in late.err
    assert "avisa templates push --parent 2" in late.err
    assert asked("templates", "push", "desk", "--parent", "1", "--json").json["error"] == "not_of_head"
    assert asked("templates", "push", "desk", "--parent", "2", "--json").json["version"] == 3
    say(folder.parent / "desk", "Order")
    old = asked("templates", "push", "desk", "--parent", "2")
    assert "holds version 1, and version 3 is in force" in old.err
    stranger = folder.parent / "stranger"
    folder.rename(stranger)
    say(stranger, "Thing")
    assert "nobody knows of which version" in asked("templates", "push", "stranger").err


def test_what_does_not_pass_is_not_pushed(asked: Avisa, folder: Path) -> None:
    asked("templates", "push", **WORDS)
    say(folder, "{{ custmer.name }}")
    ended = asked("templates", "push", "--json", **WORDS)
    assert (ended.code, ended.json["error"]) == (1, "problems")
    assert "messages/plain/en.md:2:13: " in ended.json["message"]
    assert [one["version"] for one in asked("templates", "history", "--json").json] == [1]


def test_a_version_or_folder_that_is_not_there_is_not_found(asked: Avisa, folder: Path) -> None:
    for words in (["diff"], ["rollback"], ["rollback", "1"], ["pull", "desk"]):
        ended = asked("templates", *words, "--json", **WORDS)
        assert (ended.code, ended.json["error"]) == (1, "not_found"), words
    asked("templates", "push", **WORDS)
    for words in (["diff", "7"], ["diff", "1", "c0ffee"], ["rollback", "abc"], ["rollback"], ["pull", "9", "desk"]):
        ended = asked("templates", *words, "--json", **WORDS)
        assert (ended.code, ended.json["error"]) == (1, "not_found"), words
    assert asked("templates", "push", "nowhere", "--json").json["error"] == "not_found"
    (folder / "messages/plain/es.md").write_bytes(b"\xff")
    assert "es.md: this is not UTF-8" in asked("templates", "push", **WORDS).err
    assert asked("templates", "pull", "words", "--json").json["error"] == "unpushed"


def test_a_version_goes_by_number_hash_or_the_name_in_a_timeline() -> None:
    def version(number: int, content: str) -> Version:
        return Version(
            number=number, content=content, catalog="", parent=None, origin=Origin.PUSH, author="", at=at(2, 10)
        )  # fmt: skip

    lineage = [version(4, "abcd1111"), version(3, "abcd2222"), version(2, "12345678"), version(1, "abcd1111")]

    def found(named: str) -> list[int]:
        return [one.number for one in versions.find(lineage, named)]

    assert (found("1"), found("12345678"), found("1234"), found("ABCD1-9f")) == ([1], [2], [2], [4])
    assert (found("abcd"), found("abc"), found("77"), found("zzzz")) == ([4, 3], [], [], [])


# ---------------------------------------------------------------- a mail again


def sent_mail(folder: Path, texts: dict[str, str], state: State = State.SENT) -> tuple[str, bytes]:
    """Have a mail of the version in force sent, from these texts; return its key and its bytes."""

    async def send(store: Store) -> tuple[str, bytes]:
        (head, *_) = await store.versions.versions()
        kept = KeptCatalog.read(await store.versions.kept_catalog(head.catalog) or b"")
        assert head.content == content_of(texts) == content_of(kept.files)
        catalog = templates.catalog_of(texts)
        order, notification = _told(catalog.plan)
        draft = catalog.draft(notification, order, at(2, 10))
        assert isinstance(draft, Draft)
        draft = Draft(
            catalog=head.catalog,
            locale=draft.locale,
            json=draft.json,
            message=draft.message,
            message_id=draft.message_id,
            address_hash=draft.address_hash,
        )
        mail = catalog.compose(notification, draft)
        await store.orders.commit([Change(order=order, notifications=(notification,))], now=at(2, 10))
        await store.outbox.claim(now_real=RealClock().real(), lease=LEASE, limit=9, **READER)
        begun = Attempt(
            claimed=Claimed(notification=notification, order=order), draft=draft, at_real=RealClock().real()
        )
        assert (await store.outbox.begin([begun])).keys
        assert not await store.outbox.settle([settlement(notification.key, state)])
        return notification.key, mail.data  # type: ignore[union-attr] # the samples can be rendered

    answered: tuple[str, bytes] = with_store(folder, send)
    return answered


def _told(plan: Any) -> tuple[Order, Notification]:
    return samples.samples("plain", plan, at(2, 10))["full"]


def test_a_mail_is_shown_as_it_was_sent(asked: Avisa, folder: Path) -> None:
    asked("templates", "push", **WORDS)
    texts = {name: (folder / name).read_text() for name in templates.files()}
    key, data = sent_mail(folder, texts)
    order = key.partition("/")[0]
    say(folder, "Everything else")
    asked("templates", "push", **WORDS)

    document = asked("timeline", order, "--mail", key, "--out", "again", "--json", **WORDS).json
    assert document["subject"].startswith("Order")
    assert (document["version"], document["state"], document["exact"]) == (1, "sent", True)
    assert (folder.parent / "again/mail.eml").read_bytes() == data
    assert (folder.parent / "again/mail.txt").read_text() == document["text"]
    assert (folder.parent / "again/mail.html").read_text() == document["html"]
    shown = asked("timeline", order, "--mail", key.partition("/")[2])
    assert shown.code == 0
    assert document["subject"] in shown.out
    assert "plain in en, version 1" in shown.out
    (settled,) = (one for one in asked("timeline", order, "--json").json["entries"] if one["kind"] == "settled")
    assert (settled["version"], settled["template_version"]) == (1, document["template_version"])
    (row,) = asked("outbox", "--json").json
    assert (row["version"], row["template_version"]) == (1, document["template_version"])


def test_a_mail_that_is_unknown_or_no_longer_kept_is_not_shown(asked: Avisa, folder: Path) -> None:
    asked("templates", "push", **WORDS)
    texts = {name: (folder / name).read_text() for name in templates.files()}
    key, _ = sent_mail(folder, texts)
    order = key.partition("/")[0]
    for words in ((order, "--mail", "nope"), ("B-2", "--mail", key)):
        ended = asked("timeline", *words, "--json")
        assert (ended.code, ended.json["error"]) == (1, "not_found")
    assert key in asked("timeline", order, "--mail", "nope").err
    with_store(folder, lambda store: store.database.write(_forget_drafts))
    assert "KEEP_MAILS" in asked("timeline", order, "--mail", key).err


def _forget_drafts(conn: Any) -> None:
    conn.exec_driver_sql("DELETE FROM drafts")
