"""How often real orders have each variable of a message: what `avisa check --live` reports.

Each fact stores only the rank of the last event that set it, so once an order leaves a status we can no longer tell
which facts it had while it was there. For orders still in the status we therefore count current facts; for orders
that have left it, the variables in the draft of the message sent when they entered it.

No value leaves this module. An example shows only the form of a value: letters become `a` and `A`, digits `9`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from avisa.core import context, facts, shapes
from avisa.core.model import Json, Order

# Variables that are listed even where no event ever said them; `order.…` has no such list.
_EXPECTED = ("customer.name", "customer.first_name", "promise.date", "reason", "next_step")
_AS_IT_IS = {"reason": "reason", "next_step": "next_step", "promised_at": "promise.date"}
_NAMES = ("customer.first_name", "customer.given_name", "customer.name")  # facts that a first name may come from
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")  # what a template can write; and no key that is an address
_MOST = 200  # variables of a status
_LONGEST = 40  # characters of an example
_SCHEME = re.compile(r"(?:https?|mailto|tel):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable, named as a template writes it, over the orders of one status."""

    name: str
    known: int  # orders whose message can show it
    said: int  # orders in the status of which an event of this stay said it
    example: str | None  # the form of the newest value; None: there was none


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedVariables:
    """The variables of one status, over so many orders that are in it."""

    status: str
    orders: int
    present: int  # how many of them are still in the status
    variables: tuple[Variable, ...]

    def known(self, name: str) -> int:
        """How many of the orders had this variable."""
        return next((variable.known for variable in self.variables if variable.name == name), 0)


def observed_variables(
    status: str, orders: Sequence[Order], shown: Sequence[Mapping[str, Json]] = ()
) -> ObservedVariables:
    """The variables of `orders`, which are in `status` now, and of those whose message showed the variables `shown`
    when they entered it; both newest first."""
    known: Counter[str] = Counter()
    said: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for order in orders:
        stay_began = facts.stay_began(order) or order.status_rank
        for name, value, fact in _variables(order):
            known[name] += 1
            said[name] += order.facts[fact].rank >= stay_began
            examples.setdefault(name, form(value))
    for values in shown:
        for name, value in _shown(values):
            known[name] += 1
            examples.setdefault(name, form(value))
    names = [*_EXPECTED, *sorted(known.keys() - set(_EXPECTED))][:_MOST]
    return ObservedVariables(
        status=status,
        orders=len(orders) + len(shown),
        present=len(orders),
        variables=tuple(
            Variable(name=name, known=known[name], said=said[name], example=examples.get(name)) for name in names
        ),
    )


def form(value: Json) -> str:
    """What a value looks like, without what it says."""
    match value:
        case bool():
            return "true or false"
        case dict():
            return "{" + ", ".join(sorted(key for key in value if _NAME.fullmatch(key))) + "}"
        case list():
            return f"{shapes.length(value)} × {form(value[0])}"
        case _:
            return _masked(str(value))


def _masked(text: str) -> str:
    scheme = _SCHEME.match(text)
    start = scheme.end() if scheme else 0
    shown = text[:start] + "".join(map(_mask, text[start : _LONGEST + 1]))
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _mask(character: str) -> str:
    if character.isdigit():
        return "9"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return character if character.isascii() and character.isprintable() else " "


def _variables(order: Order) -> Iterator[tuple[str, Json, str]]:
    """Name, value and fact of all that a message about the order could show."""
    known = facts.view(order)
    for fact, raw in known.items():
        if fact in _AS_IT_IS:
            yield from _named(_AS_IT_IS[fact], shapes.detail(raw, shapes.Notes()), fact)
        elif fact == "customer.name":
            yield from _named("customer.name", context.whole_name(raw), fact)
        elif fact.startswith("details."):
            name = fact.removeprefix("details.")
            yield from _named(f"order.{name}", shapes.order_detail(name, raw, shapes.Notes()), fact)
    if first_name := context.first_name(known, context.whole_name(known.get("customer.name"))):
        fact = next(fact for fact in _NAMES if known.get(fact))
        yield from _named("customer.first_name", first_name, fact)


def _shown(values: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Name and value of what a message could show, without what it has of every order."""
    customer, order = values.get("customer", {}), values.get("order", {})
    values_shown = {f"customer.{key}": customer.get(key) for key in ("name", "first_name")}
    values_shown |= {key: values.get(key) for key in ("reason", "next_step")}
    values_shown |= {f"order.{key}": value for key, value in order.items() if key != "id"}
    values_shown["promise.date"] = values.get("promise", {}).get("date")
    if order.get("number") == order.get("id"):
        values_shown["order.number"] = None  # the id stands in for it
    for name, value in values_shown.items():
        for one, inner, _ in _named(name, value, ""):
            yield one, inner


def _named(name: str, value: Json, fact: str) -> Iterator[tuple[str, Json, str]]:
    """A variable and those inside it, as far as they are there and a template can name them."""
    if not all(_NAME.fullmatch(part) for part in name.split(".")) or _is_nothing(value):
        return
    yield name, value, fact
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _named(f"{name}.{key}", inner, fact)


def _is_nothing(value: Json) -> bool:
    """True for a value that a reader would not see."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())
