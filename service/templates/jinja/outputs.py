"""The Python for an output whose value is most often a usual text: what asks for that is cheaper than a call."""

from __future__ import annotations


def quickly(value: str, usual: str, written: str, *, number: bool) -> str:
    """Return `written`, with the value where it has braces; or the value as it is if that is a text, and one that the
    function named `usual` knows. Of what is made it is asked for a number alone, for others seldom are."""
    if value.isidentifier():
        return f"({value} if {value}.__class__ is str and {usual}({value}) else {written.format(value)})"
    if number:
        return f"(t if (t := {value}).__class__ is str and (t in figures or {usual}(t)) else {written.format('t')})"
    return written.format(value)


def in_line(plain: str) -> str:
    """Return a text of a message from left to right, isolated if it has to be. ASCII has not, and what is asked for
    it is surely a text."""
    return f"(t if (t := {plain}).isascii() or not disturbs(t) else isolated(t, filling))"
