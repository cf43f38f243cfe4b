"""What operators may write where the plan asks for a duration, a zone, an address …

Each function takes the text that was written and returns its meaning, or raises `invalid` with what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, cast
from zoneinfo import ZoneInfo, available_timezones

import babel
from pydantic_core import PydanticCustomError

from avisa import time_zones
from avisa.core.plan import Allowance, Span
from avisa.diagnostics.suggest import closest_match

Unit = Literal["s", "m", "h", "d", "bd"]

_MOST_LISTED = 20  # names to choose from
LONGEST = timedelta(days=400)  # of any duration
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_ALLOWED = "allowed: 30s, 5m, 48h, 3d, 3bd"
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_SPECIALS = frozenset('()<>@,:;\\".[]')


def invalid(code: str, message: str, suggestion: str | None = None) -> PydanticCustomError:
    """The error of a value that cannot be used; operators read `message` as it is."""
    # pydantic fills {…} in a message from the context, so a message that may hold braces travels in the context.
    return PydanticCustomError(code, "{sentence}", {"sentence": message, "suggestion": suggestion})


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration as written, because `3d` and `72h` differ where there is a calendar."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def span(self) -> Span:
        return Span(days=self.count) if self.unit == "bd" else Span(elapsed=self.elapsed)

    @property
    def elapsed(self) -> timedelta:
        return self.count * _UNITS["d" if self.unit == "bd" else self.unit]


def duration(text: str) -> Duration:
    found = re.fullmatch(r"(\d{1,9})\s?(s|m|h|bd|d)", text.strip())
    if found is None:
        if re.fullmatch(r"\d+(\.\d+)?\s?%", text.strip()):
            raise invalid("not_supported_yet", f"a percentage is not supported here; {_ALLOWED}")
        raise invalid("bad_duration", f"{quoted(text)} is not a duration; {_ALLOWED}", _duration_meant(text))
    amount = Duration(int(found[1]), cast(Unit, found[2]))
    if amount.elapsed > LONGEST:
        raise invalid("bad_duration", f"{amount} is too long; at most {LONGEST.days}d")
    return amount


def _duration_meant(text: str) -> str | None:
    """The short form of a duration that was written out: `2bd` for `2 working days`."""
    found = re.fullmatch(r"(\d{1,9})\s*(working |business )?(sec|min|h|d|w)[a-z]*", text.strip().lower())
    if found is None:
        return None
    count, working, unit = int(found[1]), found[2], found[3]
    if working:
        return f"{count}bd" if unit == "d" else None
    return f"{7 * count}d" if unit == "w" else f"{count}{unit[0]}"


def nonzero_duration(text: str) -> Duration:
    """A duration, perhaps of working time, that is longer than 0."""
    amount = duration(text)
    if not amount.count:
        raise invalid("bad_duration", f"{amount} is no time at all; the least is 1s")
    return amount


def elapsed(text: str) -> timedelta:
    """A duration of plain time: no `bd`."""
    amount = duration(text)
    if amount.unit == "bd":
        raise invalid("bad_duration", f"{amount}: working days are not possible here; allowed: 30s, 5m, 48h, 3d")
    return amount.elapsed


def nonzero_elapsed(text: str) -> timedelta:
    """A duration of plain time that is longer than 0."""
    return elapsed(str(nonzero_duration(text)))


def share_or_duration(text: str) -> int | Duration:
    """A share of the window, `60%`, as 60; or a duration that is longer than 0."""
    found = re.fullmatch(r"(\d{1,3})\s?%", text.strip())
    if found is None:
        return nonzero_duration(text)
    if not 0 < int(found[1]) < 100:
        raise invalid("out_of_range", f"{quoted(text)} is no part of a window; allowed: 1% to 99%")
    return int(found[1])


def allowance(text: str) -> Allowance:
    """Return the meaning of `6/1h`, at most six within any hour."""
    count, slash, per = text.partition("/")
    if not slash or not re.fullmatch(r"[1-9]\d{0,5}", count.strip()):
        raise invalid("bad_allowance", f"{quoted(text)} is not a number in a while; allowed: such as 6/1h, or none")
    return Allowance(count=int(count), per=nonzero_elapsed(per))


def zone(text: str) -> ZoneInfo:
    """A zone of the tz database, in whatever case. A firm has a place, so an offset, which knows no summer time, is
    most likely a mistake; and CLDR's zone for a name of Windows may be in another country than the firm."""
    offset = time_zones.fixed_offset(text)
    name = time_zones.of_database(text) or ("UTC" if offset == "UTC" else None)
    if name is not None:
        return ZoneInfo(name)
    allowed = "allowed: names such as Europe/Lisbon or UTC"
    if offset is not None:
        raise invalid("unknown_name", f"{quoted(text)} is an offset, which knows no summer time; {allowed}")
    meant = time_zones.of_windows(text) or closest_match(text, available_timezones())
    raise invalid("unknown_name", f"there is no time zone {quoted(text)}; {allowed}", meant)


def locale(text: str) -> str:
    tag = text.strip()
    try:
        # Babel alone would also take POSIX modifiers, `de-DE@euro`.
        known = re.fullmatch(r"[A-Za-z0-9-]+", tag) and babel.Locale.parse(tag, sep="-")
    except (babel.UnknownLocaleError, ValueError):
        known = None
    if not known:
        raise invalid("unknown_name", f"there is no locale {quoted(text)}; allowed: such as pt-PT, es or en")
    return tag


def address(text: str) -> str:
    """One e-mail address. The error does not quote it."""
    local, _, domain = text.strip().rpartition("@")
    atoms, labels = local.split("."), domain.split(".")
    sound = all(atoms) and not any(_SPECIALS & set(atom) or re.search(r"\s", atom) for atom in atoms)
    if not sound or not all(map(_LABEL.fullmatch, labels)) or len(text) > 254 or not text.strip().isprintable():
        raise invalid("bad_address", "this is not an e-mail address; allowed: one such as avisos@example.com")
    return text.strip()


def mailbox(text: str) -> str:
    """An address, or `Name <address>` (RFC 5322 section 3.4), its name in quotes where it needs them."""
    found = re.fullmatch(r"([^<>]*)<([^<>]+)>", text.strip())
    if found is None:
        return address(text)
    name = found[1].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not name.isprintable():
        raise invalid("bad_address", "the name before the address has a character that cannot be shown")
    if _SPECIALS & set(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address(found[2])}>".strip()


def color(text: str) -> str:
    """Return the colour with six digits, also if it was written with three."""
    if not re.fullmatch(r"#([0-9a-fA-F]{3}){1,2}", text.strip()):
        raise invalid("bad_color", f'{quoted(text)} is not a colour; allowed: "#0a5" or "#00aa55", in quotes')
    digits = text.strip()[1:]
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def name(text: str) -> str:
    """The name of a brand or an owner, as people read it."""
    text = text.replace("\u00a0", " ").strip()  # text copied from elsewhere brings no-break spaces
    if not text or not text.isprintable() or len(text) > 200:
        raise invalid("bad_name", "a name has 1 to 200 characters in one line")
    return text


def prose(text: str) -> str:
    """A text for people inside the firm, which may have several lines."""
    text = text.strip()
    if not text or len(text) > 2_000 or not all(char.isprintable() or char in "\n\t\u00a0" for char in text):
        raise invalid("bad_name", "a text has 1 to 2000 characters that can be shown")
    return text


def expression(text: str) -> str:
    """An expression in JMESPath, in one line; what it says is looked at later, when the place of a fault is known."""
    return " ".join(text.split("\n")).strip()


def message_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", text):
        bare = re.sub(r"^messages/|(/[A-Za-z-]+)?\.md$", "", text.lower())
        plain = re.sub(r"[^a-z0-9_]+", "-", bare).strip("-")
        raise invalid(
            "bad_name",
            f"{quoted(text)} is not the name of a message; allowed: small letters, digits and -",
            plain if plain and "@" not in text else None,
        )
    return text


def listed(names: Sequence[str]) -> str:
    """Return the names to choose from in one line; of very many, the first."""
    return ", ".join(names[:_MOST_LISTED]) + (" …" if len(names) > _MOST_LISTED else "")


def quoted(text: str, instead: str = "what is written") -> str:
    """Return `text` in quotes for an error, cut if it is long; `instead` if an e-mail address may be in it."""
    return instead if "@" in text else repr(text if len(text) <= 60 else text[:59] + "…")
