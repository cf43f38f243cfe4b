"""Every shipped message in every language as it would be sent, and a page that shows mails to Chromium."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from avisa.catalog import Catalog
from avisa.core import samples
from avisa.core.model import Fact
from avisa.ports import Draft, RenderedMessage
from tests.templates import harness as templates
from tests.tools import chromium

LOCALES = ("en", "pt-PT", "pt-BR", "es", "ca")
TIME_OF_ITS_OWN = 120_000  # milliseconds, in which a page may wait for its frames


@cache
def shipped() -> Catalog:
    """What is shipped."""
    return templates.catalog_of(templates.shipped(), public_url="https://avisa.example.com")


@cache
def spoken(locale: str) -> Catalog:
    """The same for a firm that speaks that language: its owners are written to in it."""
    plan = shipped().plan
    brands = {key: replace(brand, locale=locale) for key, brand in plan.brands.items()}
    return replace(shipped(), plan=replace(plan, brands=brands))


def messages() -> list[str]:
    """The names of all that are shipped, as the folder has them: nothing is compiled for them."""
    return sorted({file.split("/")[1] for file in templates.shipped() if file.startswith("messages/")})


@cache
def words(message: str, locale: str, sample: str = "full") -> RenderedMessage:
    firm = spoken(locale)
    order, notification = samples.samples(message, firm.plan, templates.NOW)[sample]
    facts = {**order.facts, "customer.locale": Fact(rank=order.status_rank, value=locale)}
    draft = firm.draft(notification, replace(order, facts=facts), templates.NOW)
    assert isinstance(draft, Draft), draft
    rendered = firm.render(draft)
    assert isinstance(rendered, RenderedMessage), rendered
    return rendered


@cache
def axe() -> str:
    """axe-core, as a package for testers brings it."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def asked(
    question: str, mails: Mapping[str, str], folder: Path, *, widths: Sequence[int], dark: bool = False
) -> dict[str, Any]:
    """What the JavaScript expression `question` answers about each mail in frames of those widths, by name and
    width. In it `view` is the frame's window, `width` its width, and `axe` is axe-core in it; it may be a promise."""
    page = folder / "page.html"
    page.write_text(
        f'<!doctype html><html lang="en" style="color-scheme:{"dark" if dark else "light"}"><meta charset="utf-8">'
        f'<script type="text/plain" id="axe">{_inside(axe()) if "axe" in question else ""}</script>'
        f'<script type="application/json" id="mails">{_inside(json.dumps(dict(mails)))}</script><pre></pre><script>'
        f"const widths = {list(widths)}; const question = async (view, axe, width) => {question};\n{_ASKING}</script>"
    )
    answered = re.search(r"<pre>(.+?)</pre>", chromium.document(page, dark=dark, budget=TIME_OF_ITS_OWN), re.DOTALL)
    assert answered is not None, "the page did not answer"
    answers: dict[str, Any] = json.loads(html.unescape(answered[1]))
    assert answers.keys() == {f"{name} {width}" for name in mails for width in widths}, answers
    return answers


def _inside(text: str) -> str:
    """Text that ends no script element."""
    return text.replace("</", "<\\/")


_ASKING = """
(async () => {
  const text = (id) => document.getElementById(id).textContent;
  const answers = {};
  const mails = Object.entries(JSON.parse(text("mails")));
  for (const [name, mail, width] of mails.flatMap((it) => widths.map((width) => [...it, width]))) {
    const frame = document.createElement("iframe");
    frame.style = `width:${width}px;height:2000px;border:0`;
    frame.srcdoc = mail;
    const loaded = new Promise((done) => { frame.onload = done; });
    document.body.append(frame);
    await loaded;
    const view = frame.contentWindow;
    view.eval(text("axe"));
    answers[`${name} ${width}`] = await question(view, view.axe, width);
    frame.remove();
  }
  document.querySelector("pre").textContent = JSON.stringify(answers);
})().catch((error) => { document.querySelector("pre").textContent = JSON.stringify({ error: String(error) }); });
"""
