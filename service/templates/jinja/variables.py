"""What templates can name, as closed lists: variables, filters, components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import nodes

# filter -> how many arguments it may take
FILTERS: Mapping[str, int] = {
    "day": 0, "date": 0, "time": 0, "datetime": 0, "money": 1, "minor": 1, "number": 0, "default": 1, "lower": 0,
    "upper": 0, "capitalize": 0, "trim": 0, "join": 1, "length": 0,
}  # fmt: skip
DATES = frozenset({"day", "date", "time", "datetime"})

# component -> the names of its arguments; those of CAN_BE_MISSING may be missing in an order
COMPONENTS: Mapping[str, tuple[str, ...]] = {"button": ("text", "url"), "items": ("items",), "progress": ()}
CAN_BE_MISSING = frozenset({"url", "items"})
# What a component has besides: how many items it does not show, and the order's link.
BESIDES: Mapping[str, tuple[str, ...]] = {"items": ("more", "url")}
LATER = frozenset({"rating"})

# What a layout and its components have besides: names whose text is put in as it stands, and those that may be
# missing.
STANDS_ALONE = frozenset({"content", "dir", "lang", "short", "subject", "words"})
MAY_BE_MISSING = CAN_BE_MISSING | {"owner", "unsubscribe"}

# variable -> its attributes; None: any. A question mark: may be missing.
VARIABLES: Mapping[str, Sequence[str] | None] = {
    "customer": ("name", "first_name"),
    "order": None,
    "status": (),
    "reason?": (),
    "next_step?": (),
    "promise?": ("date", "state", "from?", "until", "previous?"),
    "part?": ("id", "number", "of", "status", "numbers"),
    "next_update?": (),
    "changed?": (),
    "asked?": ("at",),
    "reminder": ("number", "last"),
    "brand": ("name", "color", "on_color", "url?", "logo?", "reply_to?"),
}
OWNERS_VARIABLES: Mapping[str, Sequence[str] | None] = {
    **VARIABLES,
    "owner": ("name",),
    "alerts": ("kind", "count", "orders", "more"),
    "answer?": ("url",),
    "told?": ("at",),
    "to_keep?": (),
    "playbook?": (),
    "notes?": (),
}
ALL_THERE = frozenset({"progress", "alerts.orders"})  # lists of things that surely have all their parts
OUR_OWN = frozenset({"answer.url"})  # addresses that are ours
OF_EVERY_ORDER = ("id", "number")
DETAILS = ("url", "items", "total", "currency")  # that most publishers send; only for suggestions
TIMES = frozenset(
    {
        "next_update",
        "asked.at",
        "told.at",
        "to_keep",
        "promise.date",
        "promise.from",
        "promise.until",
        "promise.previous",
    }
)


def names(variables: Mapping[str, Sequence[str] | None]) -> list[str]:
    """Return all names that can be written, with those details of an order that most publishers send."""
    found: list[str] = []
    for key, attributes in variables.items():
        root = key.rstrip("?")
        found += [root] if attributes == () else []
        found += [f"{root}.{name.rstrip('?')}" for name in attributes or ()]
    return [*found, *(f"order.{name}" for name in (*OF_EVERY_ORDER, *DETAILS))]


KNOWN = frozenset(names(OWNERS_VARIABLES))


def in_one(first: str | None, last: str) -> str | None:
    """Return the name that two words were meant to be: `customer.first_name` for `customer.first` and `name`."""
    return next((name for name in (f"{first}.{last}", f"{first}_{last}") if name in KNOWN), None)


# what is refused, as an operator would call it
CONSTRUCTS: Mapping[type[nodes.Node], str] = {
    nodes.Macro: "a macro", nodes.CallBlock: "a call block", nodes.Include: "an include",
    nodes.Import: "an import", nodes.FromImport: "an import", nodes.Extends: "extends", nodes.Block: "a block",
    nodes.Assign: "set", nodes.AssignBlock: "set", nodes.With: "with", nodes.FilterBlock: "a filter block",
    nodes.Call: "a call", nodes.Getitem: "a subscript", nodes.Test: "an `is` test",
    nodes.Concat: "`~`", nodes.List: "a list", nodes.Dict: "a dict", nodes.Tuple: "a tuple",
    nodes.Add: "`+`", nodes.Sub: "`-`", nodes.Mul: "`*`", nodes.Div: "`/`", nodes.FloorDiv: "`//`", nodes.Mod: "`%`",
    nodes.Pow: "`**`", nodes.Neg: "`-`", nodes.Pos: "`+`",
    nodes.ScopedEvalContextModifier: "autoescape", nodes.EvalContextModifier: "autoescape",
}  # fmt: skip
