"""A place in bytes that are read, and what may still be made of them."""

from __future__ import annotations

MOST_VALUES = 100_000  # that a record may hold: an order of 5,000 items with 20 fields each
CHARACTERS = 64  # of a name or symbol of the schema, in a value, that cost as much as a value
DEEPEST = 32  # levels of records, arrays and maps, as of any event
_MOST_BITS = 64


class MismatchError(Exception):
    """The bytes are not what their schema says. The message names no values."""


class ExcessError(Exception):
    """A value that is too much: `deep` if it is nested too deep, else it holds too many values."""

    def __init__(self, *, deep: bool) -> None:
        super().__init__("is nested too deep" if deep else "holds too many values")
        self.deep = deep


class Cursor:
    """Reads from `at` on.

    A value may take no byte, such as null, an array says its length in a few, and a symbol of one byte is a text of
    the schema's: so each value is paid for before it is made, and not by the bytes it takes.
    """

    __slots__ = ("_at", "_content", "_depth", "_left")

    def __init__(self, content: bytes, at: int) -> None:
        self._content = content
        self._at = at
        self._left = MOST_VALUES
        self._depth = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._content)

    def enter(self, values: int) -> None:
        """A record, array or map begins, which has so many values for now. Raises ExcessError."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExcessError(deep=True)
        self.pay(values)

    def leave(self) -> None:
        self._depth -= 1

    def pay(self, values: int) -> None:
        """So many values more are to be made. Raises ExcessError."""
        self._left -= values
        if self._left < 0:
            raise ExcessError(deep=False)

    def take(self, length: int) -> bytes:
        """The next bytes. Raises MismatchError."""
        end = self._at + length
        if length < 0 or end > len(self._content):
            raise MismatchError("ends too early")
        taken = self._content[self._at : end]
        self._at = end
        return taken

    def long(self) -> int:
        """A whole number: 7 bits in a byte, the lowest first, with the sign in the lowest bit. Raises
        MismatchError."""
        content, at, shift, whole = self._content, self._at, 0, 0
        try:
            while (byte := content[at]) >= 0x80:
                whole |= (byte & 0x7F) << shift
                at, shift = at + 1, shift + 7
                if shift >= _MOST_BITS:
                    raise MismatchError("has a number of more than 64 bits")
        except IndexError:
            raise MismatchError("ends too early") from None
        whole |= byte << shift
        if whole >> _MOST_BITS:
            raise MismatchError("has a number of more than 64 bits")
        self._at = at + 1
        return (whole >> 1) ^ -(whole & 1)

    def text(self) -> str:
        """Raises MismatchError."""
        try:
            return self.take(self.long()).decode()
        except UnicodeDecodeError:
            raise MismatchError("has a text that is not UTF-8") from None
