"""A small template folder, and the way from it to a mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path

from avisa import plan_file
from avisa.catalog import Catalog, Installation
from avisa.core import samples
from avisa.core.model import Fact, Json
from avisa.core.plan import Holidays, Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.ports import Draft, Mail, RenderedMessage
from avisa.templates import template_folder
from avisa.templates.compile_folder import compile_folder, open_unchecked
from avisa.templates.compile_message import compile_message
from avisa.templates.compiled import Compiled
from avisa.templates.layout.layout import Layout
from avisa.templates.layout.layout import read as read_layout
from avisa.templates.renderer import Renderer

NOW = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
SHIPPED = Path(__file__).parents[2] / "templates"
SECRET = bytes(32)

PLAN = """
brands:
  default:
    name: Loja Azul
    from: '"Loja Azul, Lda" <avisos@example.com>'
    reply_to: Núria <apoio@example.com>
    locale: pt-PT
    time_zone: Europe/Lisbon
owners:
  care: {name: Carla, email: care@example.com}
defaults:
  owner: care
  window: 48h
touchpoints:
  confirmed: {message: plain}
  shipped: {message: shown}
  delivered: {message: plain, final: true}
unknown_status: {owner: care}
"""
PLAIN = "---\nsubject: Order {{ order.number }}\nshort: Order {{ order.number }}\n---\nOrder {{ order.number }}.\n"
SHOWN = """---
subject: "{{ customer.name }} · {{ order.number }}"
short: Order {{ order.number }} for {{ customer.first_name }}
---
Olá {{ customer.first_name }},

order **{{ order.number }}**{% if reason %}, because: {{ reason }}{% endif %}

{% if order.note %}{{ order.note }}{% endif %}

{{ button("Look", order.url) }}

{{ items(order.items) }}
{{ progress() }}
"""
REMINDER = PLAIN.replace("Order", "Still: order")
NEEDED = [
    "plain",
    "shown",
    "still-in-progress",
    "delayed",
    "generic",
    "order-stuck",
    "unknown-status",
    "customer-unreachable",
    "too-many-mails",
    "several-orders",
    "ask-owner",
    "promise-at-risk",
    "promise-broken",
    "promise-broken-owner",
]


@cache
def _shipped() -> Mapping[str, str]:
    texts, unread = template_folder.read(SHIPPED)
    assert not unread
    return texts


def shipped(*locales: str) -> dict[str, str]:
    """The files of the shipped folder; of its messages those in `locales`, or all."""
    messages = tuple(f"/{locale}.md" for locale in locales) or ".md"
    return {at: text for at, text in _shipped().items() if not at.startswith("messages/") or at.endswith(messages)}


def files(**messages: str) -> dict[str, str]:
    """A folder with a message of each name that the plan needs, in English; `shown` says the most."""
    texts = shipped()
    kept = {name: text for name, text in texts.items() if name.startswith("layout/")}
    kept["plan.yaml"] = PLAN
    for name in NEEDED:
        kept[f"messages/{name}/en.md"] = SHOWN if name == "shown" else PLAIN
    kept["messages/still-in-progress/en.md"] = REMINDER
    kept["messages/ask-owner/en.md"] = texts["messages/ask-owner/en.md"]
    for name, text in messages.items():
        kept[f"messages/{name}/en.md"] = text
    return kept


def read_plan(text: str, holidays: Mapping[str, Holidays] | None = None) -> Plan | list[Diagnostic]:
    return plan_file.read(text, holidays, file="plan.yaml") if holidays else _read_plan(text)


@lru_cache(64)
def _read_plan(text: str) -> Plan | list[Diagnostic]:
    return plan_file.read(text, file="plan.yaml")


_Compiled = tuple[Renderer | None, list[Diagnostic]]
_compiled: dict[tuple[tuple[str, str], ...], tuple[Plan, _Compiled]] = {}


def compile_once(folder: Mapping[str, str], plan: Plan) -> _Compiled:
    """As the service does, with all samples, but once for all tests that push the same folder."""
    items = tuple(sorted(folder.items()))
    known = _compiled.get(items)
    if known is None or known[0] is not plan:
        known = _compiled[items] = plan, compile_folder(folder, plan)
    renderer, problems = known[1]
    return renderer, list(problems)


def catalog_of(
    folder: Mapping[str, str] | None = None, *, public_url: str | None = None, redirect_to: str | None = None
) -> Catalog:
    """A catalog that compiles what is asked of it and nothing else."""
    folder = files() if folder is None else folder
    plan = read_plan(folder["plan.yaml"])
    assert not isinstance(plan, list), plan
    renderer, problems = open_unchecked(folder, plan, redirect_to=redirect_to)
    assert renderer is not None, problems
    installation = Installation(secret=SECRET, public_url=public_url)
    return Catalog(version="test", plan=plan, renderer=renderer, installation=installation)


@cache
def usual() -> Catalog:
    return catalog_of(public_url="https://avisa.example.com")


def mailed(catalog: Catalog, message: str = "shown", **known: Json) -> tuple[RenderedMessage, Mail]:
    """What comes of telling `message` about the full sample order with some facts changed. Underscores in names
    stand for dots."""
    draft = drafted(catalog, message, **known)
    _, notification = samples.samples(message, catalog.plan, NOW)["full"]
    rendered, mail = catalog.render(draft), catalog.compose(notification, draft)
    assert isinstance(rendered, RenderedMessage), rendered
    assert isinstance(mail, Mail), mail
    return rendered, mail


def drafted(catalog: Catalog, message: str = "shown", **known: Json) -> Draft:
    order, notification = samples.samples(message, catalog.plan, NOW)["full"]
    facts = dict(order.facts)
    for name, value in known.items():
        facts[name.replace("_", ".", 1)] = Fact(rank=order.status_rank, value=value)
    draft = catalog.draft(notification, replace(order, facts=facts), NOW)
    assert isinstance(draft, Draft), draft
    return draft


@cache
def layout() -> Layout:
    read = read_layout(files())
    assert isinstance(read, Layout), read
    return read


def layout_with(added: Mapping[str, str]) -> Layout | list[Diagnostic]:
    """The layout with more at the end of some of its files."""
    return read_layout(files_with(added))


def files_with(added: Mapping[str, str]) -> dict[str, str]:
    """The folder with more at the end of some files of its layout."""
    kept = files()
    for name, more in added.items():
        kept[f"layout/{name}"] += more
    return kept


def compiled(body: str, *, subject: str = "s", owner: bool = False) -> tuple[Compiled | None, list[Diagnostic]]:
    """A message of that body, and what is wrong with it."""
    return compiled_in(body, layout(), subject=subject, owner=owner)


def compiled_in(
    body: str, within: Layout, *, subject: str = "s", owner: bool = False
) -> tuple[Compiled | None, list[Diagnostic]]:
    text = f"---\nsubject: {subject}\nshort: s\n---\n{body}\n"
    return compile_message(text, file="messages/m/en.md", locale="en", layout=within, for_owner=owner)
