"""The operators' manual, templates/README.md: what is generated in it, and from what.

`python -m tests.readme.operators` writes those parts anew; with `--pictures` the pictures too, which needs Chromium.
"""

from __future__ import annotations

import re
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from avisa import plan_file
from avisa.core import context, facts, samples
from avisa.core.model import Json
from avisa.lint import codes
from avisa.ports import RenderedMessage
from avisa.preview import screenshots
from avisa.templates.compile_message import compile_message
from avisa.templates.jinja.variables import COMPONENTS, FILTERS, LATER, OF_EVERY_ORDER, OWNERS_VARIABLES, TIMES
from avisa.templates.layout import layout, mail_html
from avisa.templates.renderer import fill
from tests.mails import harness as mails
from tests.templates import harness as templates

MANUAL = templates.SHIPPED / "README.md"
PICTURES = templates.SHIPPED / "pictures"

# What each variable says. Those of `order` besides its number are what the publisher puts into `details`.
MEANINGS = {
    "customer.first_name": "how to greet the customer; may be empty",
    "customer.name": "the whole name; may be empty",
    "order.number": "the number that your customer knows",
    "order.id": "the one that your systems use",
    "order.url": "where the order can be looked at",
    "order.items": "what was ordered, each with `name` and `quantity`",
    "order.total": "what it costs; `order.currency` says in what",
    "order.…": "whatever else your systems send along in `details`",
    "status": "where the order is, in your systems' own word",
    "reason": "why it is so, as your systems wrote it for the customer",
    "next_step": "what comes next, as your systems wrote it",
    "promise.date": "the delivery date that was promised; of a slot its end",
    "promise.from": "when the slot begins, if the promise is for some hours only",
    "promise.until": "when it ends: the same as `promise.date`, to be written beside `promise.from`",
    "promise.previous": "the date told before, if it moved",
    "promise.state": "`moved` in the message that says so, `at_risk`, `kept`, `broken`; else `open`",
    "part.number": "which part of the order has come to this status, as in parcel 2 of 3; of several the newest",
    "part.of": "how many parts there are",
    "part.numbers": "all parts that the message is about, as a list; if over twelve, the first ten and the last",
    "part.id": "what your systems call that part; empty if none of these parts was named yet",
    "part.status": "where it is: the status that the message tells",
    "next_update": "by when the customer hears from you again. Avisa keeps this date",
    "changed": "the names of the details that are news, as in `news: [tracking]`; only in a message that tells them",
    "reminder.number": "which reminder this is; 0 in all other messages",
    "reminder.last": "whether it is the last one; for `if`",
    "brand.name": "your shop, from the plan",
    "brand.url": "its address",
    "brand.reply_to": "where answers go",
    "brand.color": "its colour",
    "brand.on_color": "white or black, whichever can be read on that colour",
    "brand.logo": "the address of its picture",
    "owner.name": "who looks after the order; in messages to owners only",
    "order.customer_name": "the customer's name, or a dash; in messages to owners only",
    "alerts.kind": "`stuck`, `unknown_status`, `unreachable`, `flood` or `promise_broken`; in `several-orders` only",
    "alerts.count": "how many orders they are about",
    "alerts.orders": "each with `number`, `status`, `url`, and `now` if the order has gone on; for `for`",
    "alerts.more": "how many orders more than those; 0 as a rule",
    "asked.at": "when an owner last said, while the order was at this status, that all is on track",
    "answer.url": "the page on which the owner answers; only in `ask-owner`",
    "told.at": "when the customer was last written to; only in `ask-owner`",
    "to_keep": "the promised date, where the owner is asked whether it will be kept; only in `ask-owner`",
    "notes": "what people noted about the order, with `avisa note`; only in `ask-owner`",
    "playbook": "what the owner is to do, from the plan; only in `ask-owner`",
}
EXAMPLES = {
    "day": "promise.date | day",
    "date": "promise.date | date",
    "time": "next_update | time",
    "datetime": "next_update | datetime",
    "money": "order.total | money",
    "minor": "order.cents | minor | money",
    "number": "order.weight | number",
    "default": 'order.colour | default("any colour")',
    "lower": "order.material | lower",
    "upper": "order.material | upper",
    "capitalize": "order.note | capitalize",
    "trim": "order.material | trim",
    "join": 'order.tags | join(", ")',
    "length": "order.items | length",
}
FILTERED = {
    "day": "a day; with its year if it is more than half a year away, or in another year and not near",
    "date": "a day with its year",
    "time": "the time of day, in the customer's zone",
    "datetime": "both",
    "money": 'an amount in the order\'s currency; `money("EUR")` in another',
    "minor": "an amount that your systems send in cents, or whatever the smallest unit of its currency is",
    "number": "a number",
    "default": "something else if it is missing",
    "lower": "in small letters",
    "upper": "in capitals",
    "capitalize": "with a capital first letter",
    "trim": "without blanks around it",
    "join": "a list in one line",
    "length": "how many there are; for `if`",
}
CALLS = {
    "button": ('button("Track your order", order.url)', "A link to press. Without an address there is no button."),
    "items": ("items(order.items)", "What was ordered."),
    "progress": ("progress()", "How far the order has come, along the touchpoints of the plan."),
}
LOOKS = {
    "button": "A button: white letters on the colour of the brand.",
    "items": "A line for each thing ordered, with its number at the right.",
    "progress": "A bar of five pieces, three of them filled, and below it the names of the steps.",
}
WIDTH = 520  # pixels of a picture
MORE: Mapping[str, Json] = {
    "weight": 1250.5,
    "cents": 12990,
    "material": "Stoneware",
    "note": "a gift for Rui",
    "tags": ["blue", "large"],
}
_OF_QUESTIONS = ("asked.at", "answer.url", "told.at", "to_keep", "playbook", "notes")
LANGUAGES = ("en", "pt-PT", "es")


@cache
def values(message: str = "delayed", status: str = "shipped") -> Mapping[str, Json]:
    """What a message may say of the full sample order."""
    plan = mails.shipped().plan
    order, notification = samples.samples(message, plan, templates.NOW)["part" if message == "shipped" else "full"]
    if message not in ("order-stuck", "ask-owner", "shipped"):
        order = samples._order(status, {key: fact.value for key, fact in order.facts.items()}, plan, templates.NOW)
    values = context.build(order, notification, plan, templates.NOW, facts.view(order))
    assert isinstance(values["order"], dict)
    link = {"answer": {"url": "https://avisa.example.com/o/…"}} if message == "ask-owner" else {}
    return {**values, **link, "order": {**values["order"], **MORE}, "_zone": "Europe/Lisbon"}


def said(body: str, locale: str = "en", *, message: str = "delayed") -> RenderedMessage:
    """A message of that body, filled."""
    text = f"---\nsubject: s\nshort: s\n---\n{body}\n"
    owners = message in ("order-stuck", "several-orders", "ask-owner")
    compiled, problems = compile_message(
        text, file=f"messages/m/{locale}.md", locale=locale, layout=templates.layout(), for_owner=owners
    )
    assert compiled is not None, problems
    rendered = fill(compiled, dict(values(message)))
    assert isinstance(rendered, RenderedMessage), rendered
    return rendered


def first_line(body: str, locale: str = "en", *, message: str = "delayed") -> str:
    return said(body, locale, message=message).text.partition("\n")[0]


def variables() -> Iterator[str]:
    yield "| write | and it says | for example | |"
    yield "|---|---|---|---|"
    named = {name for name, _ in _variables()}
    assert named == set(MEANINGS), named ^ set(MEANINGS)
    missing = dict(_variables())
    for name, meaning in MEANINGS.items():
        example = "" if name.endswith("…") else _example(name)
        yield f"| `{{{{ {name} }}}}` | {meaning} | {example} | {'may be missing' if missing[name] else ''} |"


def _variables() -> Iterator[tuple[str, bool]]:
    """Every variable, and whether it may be missing."""
    for key, attributes in OWNERS_VARIABLES.items():
        root, optional = key.rstrip("?"), key.endswith("?")
        if attributes == ():
            yield root, optional
        for attribute in attributes or ():
            yield f"{root}.{attribute.rstrip('?')}", optional or attribute.endswith("?")
    yield from ((f"order.{name}", name not in OF_EVERY_ORDER) for name in (*OF_EVERY_ORDER, "url", "items", "total"))
    yield "order.…", True
    yield "order.customer_name", False


def _example(name: str) -> str:
    if name in ("order.items", "alerts.orders"):
        return "a list"
    if name.startswith("reminder"):
        return {"number": "1", "last": "no"}[name.removeprefix("reminder.")]
    owners = name in ("owner.name", "order.customer_name")
    written = f"{name} | day" if name in TIMES else 'part.numbers | join(", ")' if name == "part.numbers" else name
    message = "several-orders" if name.startswith("alerts") else "order-stuck" if owners else "delayed"
    message = "ask-owner" if name in _OF_QUESTIONS else "shipped" if name.startswith("part.") else message
    shown = first_line(f"{{% if {name} %}}{{{{ {written} }}}}{{% else %}}-{{% endif %}}", message=message)
    return f"{shown}, with `\\| day`" if name in TIMES else shown.removeprefix("-")


def filters() -> Iterator[str]:
    assert EXAMPLES.keys() == FILTERED.keys() == FILTERS.keys()
    yield f"| write | to say | {' | '.join(f'in `{locale}`' for locale in LANGUAGES)} |"
    yield f"|---|---|{'---|' * len(LANGUAGES)}"
    for name, expression in EXAMPLES.items():
        root = expression.partition(" ")[0]
        asked = expression if name == "default" else f"{expression} if {root} else ''"
        said_in = [first_line(f"{{{{ {asked} }}}}", locale) for locale in LANGUAGES]
        written = expression.replace("|", "\\|")
        yield f"| `{{{{ {written} }}}}` | {FILTERED[name]} | {' | '.join(said_in)} |"


def components() -> Iterator[str]:
    assert CALLS.keys() == COMPONENTS.keys(), "and LATER has no place here yet: " + ", ".join(LATER)
    for name, (call, meaning) in CALLS.items():
        yield f"**`{{{{ {call} }}}}`** {meaning}"
        yield ""
        yield f'<img src="pictures/{name}.png" width="{WIDTH}" alt="{LOOKS[name]}">'
        yield ""
        yield "In the plain text:"
        yield ""
        text = said(f"{{{{ {call} }}}}").text.partition("\n-- \n")[0]
        yield from (f"    {line}".rstrip() for line in text.strip().splitlines())
        yield ""


SECTIONS = (
    ("brands.NAME", "Brand"), ("calendars.NAME", "Calendar"), ("owners.NAME", "Owner"),
    ("touchpoints.STATUS", "Touchpoint"), ("remind", "Remind"), ("promise", "Promise"), ("messages", "Messages"),
    ("defaults", "Defaults"), ("flood", "Flood"), ("events", "Events"), ("feeds.TOPIC", "TopicFeed"),
    ("fields", "FeedField"), ("feed", "Feed"),
)  # fmt: skip


def plan() -> Iterator[str]:
    definitions = plan_file.json_schema()["$defs"]
    assert {name for _, name in SECTIONS} == definitions.keys(), definitions.keys()
    of_touchpoints = definitions["Touchpoint"]["properties"]
    for heading, name in SECTIONS:
        keys: dict[str, Any] = definitions[name]["properties"]
        if name == "Defaults":
            keys = {key: told for key, told in keys.items() if key not in of_touchpoints}
        needed = definitions[name].get("required", ())
        yield f"**`{heading}`** {definitions[name]['description']}"
        yield ""
        yield "| key | write | meaning | if left out |"
        yield "|---|---|---|---|"
        for key, told in keys.items():
            assert told.get("description"), f"{name}.{key} says nothing of itself"
            yield f"| `{key}` | {_written(told)} | {told['description']} | {_left_out(told, key in needed)} |"
        yield ""


def _written(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema or "allOf" in schema:
        return "the keys below"
    if schema.get("type") == "object":
        return "a map"
    if schema.get("type") == ["array", "string"] and not schema.get("pattern"):
        return "text, or a list"
    if schema.get("type") == "array":
        return f"a list: {_written(schema['items'])}" if _written(schema["items"]) else "a list"
    if schema.get("type") == "boolean":
        return "`true` or `false`"
    if schema.get("type") == "integer":
        return "a number"
    if schema.get("examples") == ["order-confirmed"]:
        return "a message"
    known = schema.get("enum") or ([schema["const"]] if "const" in schema else None) or schema.get("examples")
    return " or ".join(f"`{each}`" for each in known) if known else "text"


def _left_out(schema: Mapping[str, Any], needed: bool) -> str:
    if needed:
        return "must be there"
    default = schema.get("default")
    if default is None or default == [] or isinstance(default, dict):
        return ""
    if isinstance(default, list):
        return f"`[{', '.join(map(str, default))}]`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def check_codes() -> Iterator[str]:
    yield from codes.table().splitlines()


FRAMED = {
    "content": ("the frame", "the message"),
    "subject": ("the frame", "its subject"),
    "short": ("the frame", "its short form"),
    "lang": ("the frame", "its language, such as `pt-BR`"),
    "dir": ("the frame and its parts", "its direction, `ltr` or `rtl`"),
    "unsubscribe": ("the frame", "where reminders can be stopped; may be missing"),
    "owner": ("the frame", "`owner.name`, in messages to owners only; may be missing"),
    "words": (
        "the frame and its parts",
        "the texts of `layout/words.yaml` in the message's language: `words.because` …",
    ),
    "progress": (
        "its parts",
        "the steps of the order, for `for`: each has `status` and `state` (`done`, `now`, `next`)",
    ),
}


def frame() -> Iterator[str]:
    assert FRAMED.keys() == layout.OF_LAYOUT | layout.OF_COMPONENTS
    yield "| in | there is | which is |"
    yield "|---|---|---|"
    for name, (place, meaning) in FRAMED.items():
        yield f"| {place} | `{name}` | {meaning} |"


def elements() -> Iterator[str]:
    yield from textwrap.wrap(", ".join(f"`{name}`" for name in sorted(mail_html.ELEMENTS)), 120)


PARTS: Mapping[str, Callable[[], Iterator[str]]] = {
    "codes": check_codes,
    "variables": variables,
    "filters": filters,
    "components": components,
    "plan": plan,
    "elements": elements,
    "frame": frame,
}


def regenerated(text: str) -> str:
    """The manual with its generated parts as they should be."""
    for name, part in PARTS.items():
        head, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, tail = rest.partition(f"<!-- end of {name} -->")
        assert begin, f"the manual has no part {name}"
        assert end, f"the part {name} of the manual has no end"
        lines = "\n".join(part()).strip("\n")
        text = f"{head}{begin}{lines}\n{end}{tail}"
    return text


def take_pictures() -> None:
    """One of a whole message, and one of each component."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        page = Path(name) / "mail.html"
        whole = mails.words("shipped", "en").html
        _shoot(whole, page, "message")
        for component, (call, _) in CALLS.items():
            _shoot(_only_the_sheet(said(f"{{{{ {call} }}}}").html), page, component)


def _only_the_sheet(html: str) -> str:
    """The mail without what stands around its text."""
    sheet = re.search(r'<td class="sheet"[^>]*>(.*?)</td></tr></table>(?=<div class="foot)', html, re.DOTALL)
    page = re.search(r'^.*<div class="page"[^>]*style="', html, re.DOTALL)
    assert sheet is not None
    assert page is not None
    return f'{page[0]}padding:14px 24px;background:#fffdf9;font:16px/1.6 Arial;color:#2e2b26">{sheet[1]}</div>'


def _shoot(html: str, page: Path, name: str) -> None:
    page.write_text(html)
    taken = screenshots.pictures(screenshots.find() or "chromium", page, [screenshots.Look(width=WIDTH)])
    assert not isinstance(taken, screenshots.NoPicture), taken
    (PICTURES / f"{name}.png").write_bytes(taken[0])


def main() -> int:
    MANUAL.write_text(regenerated(MANUAL.read_text("utf-8")), "utf-8")
    if "--pictures" in sys.argv:
        take_pictures()
    return 0


if __name__ == "__main__":
    sys.exit(main())
