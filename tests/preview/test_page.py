"""The page of every message: what it shows, that it follows saved files, and that it lets nothing in or out."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from avisa import plan_file
from avisa.preview.folder import PreviewedFolder
from avisa.preview.page import build, in_colours
from avisa.web.guard import HEADERS
from avisa.web.server import CannotListen, Server, listen
from tests.fakes import HandClock
from tests.templates.harness import shipped
from tests.templates.test_folder import laid_out
from tests.tools.waiting import PATIENCE
from tests.web.conftest import client_of

SHIPPED = Path(__file__).parents[2] / "templates"


@dataclass
class Table:
    """The page, served, and the folder behind it."""

    folder: Path
    previewed: PreviewedFolder
    client: httpx.AsyncClient

    async def page(self, path: str = "/", **asked: str) -> str:
        answer = await self.client.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        return answer.text

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.folder / name
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    folder = laid_out(tmp_path / "mine", shipped("en", "pt-PT"))  # as good as five here, and quicker
    read = partial(plan_file.read, file="plan.yaml", tell_from=None)
    previewed = PreviewedFolder(folder, read, HandClock(), None)
    await previewed.look()
    listener = listen("127.0.0.1", 0)
    assert not isinstance(listener, CannotListen)
    server = Server(build(previewed), listener)
    await server.start()
    async with client_of(server) as client:
        yield Table(folder=folder, previewed=previewed, client=client)
    await previewed.close()
    await server.stop()


class Marks(HTMLParser):
    """What our script compares: the parts of a page, and the mark of each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if "data-mark" in known:
            self.found[str(known["id"])] = str(known["data-mark"])


async def test_every_message_is_there_in_every_language_in_the_order_of_the_plan(table: Table) -> None:
    text = await table.page()
    names = {path.name for path in (SHIPPED / "messages").iterdir()}
    assert set(re.findall(r'<section id="([^"]+)"', text)) == names
    assert text.index('<section id="order-confirmed"') < text.index('<section id="shipped"')
    assert "update in shipped" in text
    assert "All is well" in text
    for name in names:
        for locale in ("en", "pt-PT"):
            frame = re.search(rf'src="(/frame/{name}/{locale}\?[^"]+)"', text)
            assert frame is not None
            assert "<html" in await table.page(frame[1].replace("&amp;", "&"))
    assert "Your order 1042 is on its way" in text


async def test_one_message_is_shown_in_every_way(table: Table) -> None:
    text = await table.page("/shipped/pt-PT")
    for name in ("Desktop", "Phone", "In the dark", "As text"):
        assert name in text
    assert "look=dark" in text
    assert "1042" in text
    for path in ("/shipped/xx", "/nope/en", "/frame/nope/en", "/../etc/passwd"):
        assert (await table.client.get(path)).status_code == 404


async def test_a_sample_can_be_chosen_and_a_message_without_it_shows_its_usual_one(table: Table) -> None:
    odd = await table.page("/frame/shipped/en", sample="odd")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in odd
    assert "<script" not in odd
    last = await table.page("/frame/still-in-progress/en", sample="last")
    assert last != await table.page("/frame/still-in-progress/en")
    assert await table.page("/frame/shipped/en", sample="last") == await table.page("/frame/shipped/en")
    text = await table.page(view="text", sample="bare")
    assert '<pre class="letter">Hello,' in text
    assert "<iframe" not in text
    only = await table.page(locale="pt-PT")
    assert set(re.findall(r'id="[^".]+\.([^"]+)"', only)) == {"pt-PT"}


async def test_an_order_of_their_own_is_a_sample_too(table: Table) -> None:
    own = '{"order_id": "A-77", "status": "shipped", "customer": {"name": "Rita Alves", "email": "rita@example.pt"}}'
    (table.folder / "samples.jsonl").write_text(own + "\n")
    await table.previewed.look()
    assert 'sample=A-77">A-77</a>' in await table.page()
    assert "Rita" in await table.page("/frame/delayed/en", sample="A-77")


async def test_a_problem_stands_where_it_is_with_its_line(table: Table) -> None:
    table.edit("messages/shipped/en.md", "{{ order.number }}** has left", "{{ ordr.number }}** has left")
    await table.previewed.look()
    text = await table.page()
    (card,) = re.findall(r'<article[^>]*id="shipped\.en".*?</article>', text, re.DOTALL)
    assert "ordr.number" in card
    assert re.search(r"\n *<em> +\^</em>", card)
    assert "messages/shipped/en.md:" in card
    assert "<iframe" not in card
    (sibling,) = re.findall(r'<article[^>]*id="shipped\.pt-PT".*?</article>', text, re.DOTALL)
    assert "<iframe" in sibling  # one wrong file takes no other message from the page
    assert re.search(r'class="state bad">\d+ errors?', text)
    table.edit("messages/shipped/en.md", "ordr", "order")
    await table.previewed.look()
    assert "All is well" in await table.page()


async def test_a_wrong_plan_leaves_the_messages_on_the_page(table: Table) -> None:
    table.edit("plan.yaml", "window: 24h", "windov: 24h")
    await table.previewed.look()
    text = await table.page()
    (general,) = re.findall(r'<div id="general".*?<section', text, re.DOTALL)
    assert "windov" in general
    assert 'src="/frame/shipped/en' in text


async def test_a_folder_that_never_was_good_says_what_is_wrong(tmp_path: Path) -> None:
    read = partial(plan_file.read, file="plan.yaml", tell_from=None)
    previewed = PreviewedFolder(tmp_path / "nowhere", read, HandClock(), None)
    await previewed.look()
    assert [problem.code for problem in previewed.problems] == ["unreadable", "missing_file"]
    assert previewed.messages() == []
    shutil.copytree(SHIPPED, tmp_path / "nowhere")
    (tmp_path / "nowhere" / "plan.yaml").write_text("brands: 7\n")
    await previewed.look()
    assert previewed.problems
    assert {message.name for message in previewed.messages()} >= {"shipped"}
    assert previewed.rendered("shipped", "en", "full") is None


async def test_a_saved_file_is_told_and_only_what_changed_is_marked_anew(table: Table) -> None:
    before = Marks(await table.page()).found
    following = asyncio.create_task(table.previewed.follow())
    try:
        async with asyncio.timeout(PATIENCE), table.client.stream("GET", "/changes") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = (line async for line in stream.aiter_lines() if line)
            first = (await anext(lines)).partition(".")[0]
            assert first == f"data: {table.previewed.version.partition('.')[0]}"
            await asyncio.sleep(0.5)  # until the folder is watched
            table.edit("messages/shipped/en.md", "is on its way", "has left the building")
            while (told := (await anext(lines)).partition(".")[0]) == first:
                pass  # the advice on the folder as it was
            assert told == f"data: {table.previewed.version.partition('.')[0]}"
    finally:
        following.cancel()
    after = Marks(await table.page()).found
    assert {part for part in after if after[part] != before[part]} == {"shipped.en"}
    assert after.keys() == before.keys()


async def test_the_page_is_closed_to_all_but_this_machine_and_its_own_script(table: Table) -> None:
    for path in ("/", "/shipped/en", "/frame/shipped/en"):
        answer = await table.client.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline'" not in re.sub(r"style-src [^;]*", "", policy)
    assert (await table.client.get("/", headers={"Host": "evil.example"})).status_code == 421
    assert (await table.client.post("/")).status_code == 405
    frame = (await table.client.get("/frame/shipped/en")).headers["content-security-policy"]
    assert "allow-scripts" not in frame
    assert "script-src" not in frame
    text = await table.page()
    assert text.count("<script>") == 1
    assert "allow-scripts" not in text


def test_the_look_does_not_depend_on_the_machine() -> None:
    layout = (SHIPPED / "layout" / "layout.html").read_text("utf-8")
    dark, light = in_colours(layout, dark=True), in_colours(layout, dark=False)
    assert "prefers-color-scheme" not in dark + light
    assert "@media all{" in dark
    assert "@media not all{" in light
    assert 'content="dark"' in dark
