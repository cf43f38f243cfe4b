"""Catalogs are put in force whole or not at all, and write the same bytes everywhere."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from avisa.catalog import CatalogCache, Found, Installation, Versions, choose_locale
from avisa.core import samples
from avisa.core.model import Fact, Notification, Order
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.ports import CannotRender, Draft, Mail, NoAddress
from avisa.store import Store, migrate, open_store
from avisa.templates import template_folder
from avisa.templates.compile_folder import compile_folder
from avisa.templates.folder_watch import FolderWatch
from avisa.templates.open_folder import open_folder, renderer_fingerprint
from tests.fakes import RealClock
from tests.templates.harness import NOW, PLAIN, PLAN, SECRET, catalog_of, files, read_plan, shipped, usual
from tests.templates.test_folder import laid_out
from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE

FORM_1 = Path(__file__).with_name("form_1.json")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path / 'avisa.db'}"
    await asyncio.to_thread(lambda: asyncio.run(migrate.upgrade(url)))
    opened = open_store(url, clock=RealClock(), exclusive=True)
    await opened.start()
    yield opened
    await opened.close()


def empty_catalogs(store: Store) -> CatalogCache:
    return CatalogCache(
        read_plan=read_plan,
        compile_folder=compile_folder,
        open_folder=open_folder,
        engine=renderer_fingerprint(),
        installation=Installation(secret=SECRET, public_url="https://avisa.example.com"),
        store=store.versions,
    )


def told(message: str = "shown", sample: str = "full") -> tuple[Order, Notification]:
    return samples.samples(message, usual().plan, NOW)[sample]


class Saver:
    """The catalogs of a process, and one folder that is saved again and again."""

    def __init__(self, store: Store) -> None:
        self.catalogs = empty_catalogs(store)
        self.versions = Versions(self.catalogs, store.versions)

    async def save(self, texts: Mapping[str, str], unread: Sequence[Diagnostic] = ()) -> list[str]:
        """Answers the codes of what is wrong."""
        await self.versions.look(Found(place="desk:/templates", files=texts, unread=unread), at=NOW)
        return [problem.code for problem in self.catalogs.problems]


async def test_the_last_good_catalog_stays(store: Store) -> None:
    saver = Saver(store)
    kept = saver.catalogs
    with pytest.raises(LookupError):
        _ = kept.in_force
    assert await saver.save(files()) == []
    good = kept.in_force
    broken = files(shown="---\nsubject: x\nshort: x\n---\n{{ custmer.name }}\n")
    assert await saver.save(broken) == ["unknown_name"]
    assert kept.in_force is good
    assert not kept.ok
    for half in ("", "---\nsub", "---\nsubject: x\nshort: x\n---\n{% if"):
        assert await saver.save(files(shown=half))
        assert kept.in_force is good
    await saver.save({**files(), "plan.yaml": PLAN + "touchpints: {}\n"})
    assert kept.in_force is good
    assert await saver.save({})
    assert await saver.save(files(), unread=kept.problems)
    assert kept.in_force is good
    assert not kept.ok
    assert await saver.save(files()) == []
    assert kept.ok
    assert kept.in_force is good
    assert len(await store.versions.versions()) == 1


async def test_a_mended_message_is_another_version_and_the_old_one_can_be_made_again(store: Store) -> None:
    saver = Saver(store)
    kept = saver.catalogs
    await saver.save(files())
    old = kept.in_force
    order, notification = told("plain")
    draft = old.draft(notification, order, NOW)
    assert isinstance(draft, Draft)
    first = old.compose(notification, draft)
    await saver.save(files(plain=PLAIN.replace("Order", "Your order")))
    assert kept.in_force.version != old.version
    assert draft.catalog == old.version
    assert await kept.version(old.version) is not None
    restarted = Saver(store)  # with only the store to go by
    await restarted.save(files(plain=PLAIN.replace("Order", "Your order")))
    fresh = restarted.catalogs
    again = await fresh.version(old.version)
    assert again is not None
    assert again.compose(notification, Draft(catalog=draft.catalog, locale=draft.locale, json=draft.json)) == first
    assert kept.in_force.compose(notification, draft) != first
    assert await fresh.version("unheard of") is None


async def test_a_mail_in_doubt_goes_out_as_the_release_that_began_it_wrote_it(store: Store) -> None:
    """`form_1.json` was written by the release that still had HTML in base64."""
    before = json.loads(FORM_1.read_text(encoding="utf-8"))
    await store.versions.keep_catalog(before["version"], json.dumps(before["kept"]).encode(), at=NOW)
    saver = Saver(store)
    await saver.save(before["kept"]["files"])
    draft = Draft(catalog=before["version"], locale="en", json=before["draft"].encode())
    _, notification = told()
    catalog = await saver.catalogs.version(draft.catalog)
    assert catalog is not None
    mail, now = catalog.compose(notification, draft), saver.catalogs.in_force.compose(notification, draft)
    assert isinstance(mail, Mail)
    assert isinstance(now, Mail)
    assert mail.data.decode() == before["mail"]
    assert mail.data != now.data
    assert not saver.catalogs.renders(draft.catalog)


def _compose(draft: Draft, notification: Notification) -> bytes:
    mail = catalog_of(public_url="https://elsewhere.example.com").compose(notification, draft)
    assert isinstance(mail, Mail)
    return mail.data


@needs("process")
@pytest.mark.parametrize("message", ["shown", "still-in-progress"])
def test_another_process_writes_the_same_bytes(message: str) -> None:
    order, notification = told(message)
    draft = usual().draft(notification, order, NOW)
    assert isinstance(draft, Draft)
    here = usual().compose(notification, draft)
    assert isinstance(here, Mail)
    assert usual().compose(notification, draft) == here
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_compose, (draft, notification)) == here.data


def test_an_order_is_told_some_messages_while_it_is_open_and_others_at_its_end() -> None:
    told = catalog_of(shipped("en")).open_messages()
    assert told[0] == "order-confirmed"
    assert {"shipped", "generic", "still-in-progress", "order-stuck"} < set(told)
    assert not {"delivered", "cancelled"} & set(told)
    assert len(set(told)) == len(told)


def test_a_draft_freezes_what_may_change() -> None:
    order, notification = told()
    draft = usual().draft(notification, order, NOW)
    assert isinstance(draft, Draft)
    before = usual().compose(notification, draft)
    later = replace(notification, attempts=3, status="delivered", next_update=None)
    assert usual().compose(later, draft) == before


@pytest.mark.parametrize(
    "email",
    [
        None,
        "",
        "bob",
        7,
        "a@b.example,c@d.example",
        "a@b.example\r\nBcc: x@y.example",
        "<a@b.example>",
        "a@localhost",
        "a@10.0.0.1",
        "mailer-daemon@b.example",
        "Avisos@example.com",
        "a" * 300 + "@b.example",
    ],
)
def test_where_nothing_can_be_sent_there_is_no_address(email: object) -> None:
    order, notification = told()
    order = replace(order, facts={**order.facts, "customer.email": Fact(rank=(9, 0, 0), value=email)})
    assert isinstance(usual().draft(notification, order, NOW), NoAddress)


def test_an_owner_is_written_to_at_the_address_of_the_plan() -> None:
    order, notification = told("order-stuck")
    assert notification.recipient == "owner:care"
    draft = usual().draft(notification, order, NOW)
    assert isinstance(draft, Draft)
    mail = usual().compose(notification, draft)
    assert isinstance(mail, Mail)
    assert mail.recipient == "care@example.com"
    nobody = replace(notification, recipient="owner:nobody")
    assert isinstance(usual().draft(nobody, order, NOW), NoAddress)


def test_what_cannot_be_written_says_so_without_harm() -> None:
    catalog = usual()
    order, notification = told()
    draft = catalog.draft(notification, order, NOW)
    assert isinstance(draft, Draft)
    broken = replace(draft, render_input=None, json=draft.json.replace(b'"number":"1042"', b'"nomber":"1042"'))
    told_so = catalog.compose(notification, broken)
    assert isinstance(told_so, CannotRender)
    assert re.match(r"messages/shown/en\.md line \d+: .*number", told_so.problem)
    assert "Ana" not in told_so.problem


@pytest.mark.parametrize(
    ("wanted", "brand", "chosen"),
    [
        ("pt-BR", "en", "pt-BR"),
        ("pt_br.UTF-8", "en", "pt-BR"),
        ("pt", "pt-PT", "pt-PT"),
        ("pt-AO", "pt-PT", "pt-PT"),
        ("pt-AO", "en", "pt-PT"),
        ("es-MX", "en", "es"),
        ("de", "ca", "ca"),
        ("de", "fr", "en"),
        ("", "es-AR", "es"),
        ("../../etc", "nl", "en"),
    ],
)
def test_a_missing_language_falls_back_to_its_kin_then_to_the_brand(wanted: str, brand: str, chosen: str) -> None:
    assert choose_locale(("ca", "en", "es", "pt-BR", "pt-PT"), wanted, brand) == chosen


def test_with_nothing_to_choose_from_there_is_no_language() -> None:
    assert choose_locale((), "en", "en") is None
    assert choose_locale(("nl",), "en", "en") == "nl"


async def test_a_saved_file_is_noticed(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "templates"
    laid_out(folder, files())
    saver = Saver(store)
    texts, unread = template_folder.read(folder)
    await saver.save(texts, unread)
    assert saver.catalogs.ok
    before = saver.catalogs.in_force.version
    noticed = asyncio.ensure_future(anext(FolderWatch(folder).changes()))
    file = folder / "messages" / "shown" / "en.md"
    writing = asyncio.ensure_future(_save_until(file, noticed))
    async with asyncio.timeout(PATIENCE):
        await noticed
    await writing
    await saver.save(template_folder.read(folder)[0])
    assert saver.catalogs.in_force.version != before


async def _save_until(file: Path, noticed: asyncio.Future[None]) -> None:
    """Saves again and again, since nobody says when the watch has begun."""
    while not noticed.done():
        await asyncio.to_thread(_add_a_line, file)
        await asyncio.sleep(0.3)  # longer than it takes to settle


def _add_a_line(file: Path) -> None:
    file.write_text(file.read_text() + "\n\nMore.\n")


def test_redirecting_is_no_part_of_a_draft() -> None:
    order, notification = told()
    plan = read_plan(PLAN)
    renderer, _ = partial(compile_folder, redirect_to="x@example.org")(files(), plan)
    assert renderer is not None
    redirected = replace(usual(), renderer=renderer)
    assert redirected.draft(notification, order, NOW) == usual().draft(notification, order, NOW)
