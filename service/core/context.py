"""The variables that a template can show, as plain JSON values.

Values come from events, so they are taken as text and nothing else, each in the shape that it has (`shapes`). A value
that no event gave is left out, so that a template has to ask for it. Times stay as the publisher or Avisa wrote them
(RFC 3339 in UTC, or a bare date); the filters of a template put them into the customer's language and zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from avisa.core import facts, part_values, promises, question_due, questions, shapes
from avisa.core.alert_list import MOST_SHOWN
from avisa.core.characters import one_line
from avisa.core.first_names import first_name_in, without_placeholders
from avisa.core.model import Json, Notification, Order, Purpose, Reason
from avisa.core.plan import Brand, Plan
from avisa.core.promise import PromiseState
from avisa.core.timestamps import rfc3339

UNKNOWN = "–"  # stands for a customer's name in what owners read
_COLOR = "#24594b"
_LONGEST_FIRST_NAME = 60
_LARGEST_LIST = 24 * 1024  # characters of what is shown of several orders
_HEX = re.compile(r"#[0-9a-fA-F]{6}")

_JUDGED = frozenset({PromiseState.KEPT, PromiseState.BROKEN})
_IN_DANGER = frozenset({PromiseState.AT_RISK, PromiseState.BROKEN})
_DETAIL = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")  # what a template can write; and no name that is an address


def build(
    order: Order, notification: Notification, plan: Plan, now: datetime, known: Mapping[str, Json]
) -> dict[str, Json]:
    """The variables of one notification (templates/README.md, Variables); `known` is the order's `facts.view`.

    An unknown variable is left out, never None. `_left_out` notes what the order says and the variables do not.
    """
    left_out: list[str] = []
    if order.parts is not None:
        known = part_values.with_part_facts(order, notification, known)
    part = part_values.shown(order, notification)
    brand = plan.brand(known.get("brand"))
    customer = whole_name(known.get("customer.name"))
    variables: dict[str, Json] = {
        "customer": {"name": customer, "first_name": first_name(known, customer)},
        "order": _order(order.order_id, known, left_out),
        "status": _status(notification.status),
        "reminder": _reminder(notification),
        "brand": brand_facts(brand),
        "progress": progress(order, plan, part),
        "_now": moment(now),
    }
    for key in ("reason", "next_step"):
        if key not in known:
            continue
        said, notes = known[key], shapes.Notes()
        if isinstance(said, str) and (text := shapes.text_of(said, shapes.LONGEST_TEXT, notes, lines=True)):
            variables[key] = text
        left_out += _named(key, notes)
    if not customer and isinstance(known.get("customer.name"), str) and known["customer.name"].strip():
        left_out.append("customer.name: has not the shape of a name")
    date = known.get("promised_at")
    if date is not None:
        judged = _judged(notification, order, plan)
        if not notification.to_customer or judged or _is_shown(date, notification, order, plan, now):
            variables["promise"] = _promise(date, judged, notification, order)
    if notification.next_update is not None:
        variables["next_update"] = moment(notification.next_update)
    if order.changed and notification.reason is Reason.FACTS_CHANGED:
        variables["changed"] = list(order.changed)
    if part is not None:
        variables["part"] = {
            **part,
            "id": shapes.text_of(part["id"], shapes.LONGEST_LINE, shapes.Notes()),
            "status": _status(part["status"]),
        }
    if (asking := order.asking) is not None and asking.on_track_at is not None:
        variables["asked"] = {"at": moment(asking.on_track_at)}
    if not notification.to_customer:
        owner = plan.owners.get(notification.recipient.removeprefix("owner:"))
        variables["owner"] = {"name": owner.name if owner else ""}
        variables["order"]["customer_name"] = customer or UNKNOWN
    if notification.alerts is not None:
        variables["alerts"] = notification.alerts
    if notification.purpose is Purpose.ASK_OWNER:
        variables |= _asked(order, notification, plan, now)
    if left_out:
        variables["_left_out"] = left_out
    return variables


def alerts(shown: Sequence[tuple[Order, Notification]], orders: int, plan: Plan) -> Json:
    """The variable `alerts`: alerts of one kind, of which `shown` are shown, about so many orders in all.

    An order that was alerted about twice is shown once, as it was alerted about last.
    """
    newest = {order.order_id: (order, alert) for order, alert in shown}
    rows: list[Json] = []
    size = 0
    for order, alert in newest.values():
        row = _alert(order, alert, plan)
        size += sum(map(len, row.values()))
        if len(rows) == MOST_SHOWN or (rows and size > _LARGEST_LIST):
            break
        rows.append(row)
    return {"kind": shown[0][1].ordinal, "orders": rows, "count": orders, "more": orders - len(rows)}


def _alert(order: Order, alert: Notification, plan: Plan) -> dict[str, str]:
    """What is shown of one order. `now` is its status, if it has gone on meanwhile; what is not known is empty."""
    values = build(order, alert, plan, alert.decided_at, facts.view(order))
    return {
        "number": values["order"]["number"],
        "url": values["order"].get("url", ""),
        "status": values["status"],
        "now": _status(order.status) if order.status != alert.status else "",
    }


def _status(status: str) -> str:
    return shapes.text_of(status, shapes.LONGEST_LINE, shapes.Notes())


def _asked(order: Order, notification: Notification, plan: Plan, now: datetime) -> dict[str, Json]:
    """What an owner who is asked sees besides: the date that is to be kept, if it is that they are asked about, what
    they are to do, and what the customer was told until when."""
    told: dict[str, Json] = {}
    question = questions.find(order, notification.episode, int(notification.ordinal))
    date = None if question is None else question_due.date_asked(order, question, plan, now)
    if date is not None:
        told["to_keep"] = date.rpartition("/")[2]
    if (playbook := plan.touchpoint(notification.status).playbook) is not None:
        told["playbook"] = playbook
    if order.notes:
        told["notes"] = shapes.text_of("\n".join(order.notes), shapes.LONGEST_TEXT, shapes.Notes(), lines=True)
    if order.counted_from is not None and order.told_seq:
        told["told"] = {"at": moment(order.counted_from)}
    if order.told_until is not None:
        told["next_update"] = moment(order.told_until)
    return told


def whole_name(value: Json) -> str:
    """A person's name on one line; empty if the value is no name."""
    if not isinstance(value, str):
        return ""
    name = without_placeholders(one_line(value[:400]))  # it may have a million characters
    return shapes.person(name) if any(map(str.isalpha, name)) else ""


def first_name(known: Mapping[str, Json], whole: str) -> str:
    """The name to greet the customer by: what an event calls so, else the given name in their `whole_name`, if there
    is no doubt which that is, else nothing. `known` is the order's `facts.view`."""
    for fact in ("customer.first_name", "customer.given_name"):
        if fact in known and (stated := whole_name(known[fact])):
            return stated[:_LONGEST_FIRST_NAME].rstrip()
    return first_name_in(whole, known.get("customer.locale"))


@lru_cache(64)
def brand_facts(brand: Brand) -> dict[str, Json]:
    """The brand's look. `on_color` is legible on `color`."""
    color = brand.color if brand.color and _HEX.fullmatch(brand.color) else _COLOR
    answers_to = (brand.reply_to or "").rpartition("<")[2].rstrip(">")  # its address, without a name
    shown = {"name": brand.name, "color": color, "on_color": _ink_on(color), "url": brand.url, "logo": brand.logo}
    shown["reply_to"] = answers_to
    return {key: value for key, value in shown.items() if value}


def progress(order: Order, plan: Plan, part: Mapping[str, Json] | None = None) -> list[dict[str, Json]]:
    """The stages of an order, each done, now or next: the statuses of the plan up to its first final one.

    An order that ended in another status shows the stages that it passed, and its end. With `part`, which is the
    variable, they are those of that part: beside "parcel 2 is on its way" nobody wants to see where the others are.
    """
    status, passed = order.status, {status for _, status in order.statuses}
    if part is not None:
        status, passed = part["status"], set(part_values.statuses_of(order, part["id"]))
    elif order.parts is not None:
        passed.update(part_values.statuses_of_all(order))
    return _progress(plan.way, frozenset(passed), status, plan.touchpoint(status).final)


@lru_cache(1024)  # there are few ways through a plan, and many orders on them
def _progress(way: tuple[str, ...], seen: frozenset[str], status: str, final: bool) -> list[dict[str, Json]]:
    seen |= {status}
    if status not in way and final:
        way = (*(stage for stage in way if stage in seen), status)
    reached = max((place for place, stage in enumerate(way) if stage in seen), default=-1)
    if reached < 0:
        return []
    now = way.index(status) if status in way else reached
    states = ("done", "now", "next")
    return [{"status": stage, "state": states[(place >= now) + (place > now)]} for place, stage in enumerate(way)]


@lru_cache(64)  # of now, and of the next updates that a batch tells, which are few
def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return rfc3339(at.replace(microsecond=0))


def _order(order_id: str, known: Mapping[str, Json], left_out: list[str]) -> dict[str, Json]:
    shown = {}
    notes = shapes.Notes()
    for key, value in known.items():
        if not key.startswith("details."):
            continue
        name = key[8:]
        if (kept := shapes.order_detail(name, value, notes)) is not None:
            shown[name] = kept
        if notes:
            left_out += _named(f"order.{name}" if _DETAIL.fullmatch(name) else "a detail of the order", notes)
            notes.clear()
    if "currency" not in shown and isinstance(code := shown.get("currency_code"), str):
        shown["currency"] = code
    shown["id"] = one_line(order_id)
    number = shown.get("number")
    shown["number"] = str(number) if isinstance(number, (str, int)) else shown["id"]
    if not isinstance(shown.get("url", ""), str):
        del shown["url"]
    return shown


def _named(name: str, notes: shapes.Notes) -> list[str]:
    return [f"{name}: {note}" for note in dict.fromkeys(notes)]


def _reminder(notification: Notification) -> dict[str, Json]:
    if notification.purpose is not Purpose.REMINDER:
        return {"number": 0, "last": False}
    return {"number": int(notification.ordinal), "last": notification.last}


def _is_shown(date: str, notification: Notification, order: Order, plan: Plan, now: datetime) -> bool:
    """False for a date in the past: it is no promise any more, and a customer who reads it takes us for fools. Unless
    the message says that it was broken."""
    if notification.purpose is Purpose.PROMISE_BROKEN:
        return True
    return facts.promise_moment(date, facts.zone(order, plan)) > now


def _judged(notification: Notification, order: Order, plan: Plan) -> PromiseState | None:
    """KEPT or BROKEN, where the message tells of a status that fulfils the promise."""
    promise = order.promise
    if promise is None or notification.purpose is not Purpose.UPDATE:
        return None
    judged = plan.touchpoint(notification.status).fulfils_promise and promise.state in _JUDGED
    return promise.state if judged else None


def _promise(date: str, judged: PromiseState | None, notification: Notification, order: Order) -> dict[str, Json]:
    begin, slash, end = date.rpartition("/")
    promise: dict[str, Json] = {"date": end, "until": end}
    if slash:
        promise["from"] = begin
    before = notification.promise_before
    moved = before is not None and before != date
    if before is not None and moved:
        promise["previous"] = before.rpartition("/")[2]
    promise["state"] = str(judged or _state(notification, order, moved=moved))
    return promise


def _state(notification: Notification, order: Order, *, moved: bool) -> PromiseState:
    """What a message calls a promise that still stands, or was broken in silence. That it moved is news only once."""
    if notification.purpose in promises.STATES:
        return promises.STATES[notification.purpose]
    if moved:
        return PromiseState.MOVED
    state = order.promise.state if order.promise is not None else None
    return state if state in _IN_DANGER else PromiseState.OPEN


def _ink_on(color: str) -> str:
    """White or black, whichever contrasts better: always 4.5 to 1 or more (WCAG 2.2, 1.4.3), whatever the colour."""
    return max("#ffffff", "#000000", key=lambda ink: contrast(color, ink))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours `#rrggbb`, from 1 to 21 (WCAG 2.2, definition)."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    """The relative luminance of `#rrggbb`, from 0 to 1 (WCAG 2.2, definition)."""
    channels = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
