"""Shipped messages, changed a little: what a slip of the hand, or a patient enemy, makes of a good file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from tests.hostile.grammar import FILTERS, SPELT, Author

_PIECES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\w+|\n+|.", re.DOTALL)


def mutated(texts: Sequence[str], random: Random, author: Author) -> str:
    """One of the messages with one to five changes."""
    pieces: list[str] = _PIECES.findall(random.choice(texts))
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(pieces))
        match random.randrange(9):
            case 0:
                del pieces[at : at + random.randint(1, 4)]
            case 1:
                pieces[at:at] = pieces[at : at + random.randint(1, 20)]
            case 2:
                other = random.randrange(len(pieces))
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case 3:
                pieces.insert(at, random.choice(SPELT))
            case 4:
                pieces.insert(at, chr(random.choice([0, 9, 0x1E, 0x7F, 0x85, 0xA0, 0xE000, 0xE001, 0xFEFF, 0x1F4E6])))
            case 5:
                donor = _PIECES.findall(random.choice(texts))
                start = random.randrange(len(donor))
                pieces[at:at] = donor[start : start + random.randint(1, 30)]
            case 6:
                pieces[at] = re.sub(r"(\}\})", f"| {random.choice(FILTERS)} \\1", pieces[at])
            case 7:
                pieces.insert(at, author.piece())
            case _:
                place = random.randrange(len(pieces[at]) + 1)
                pieces[at] = pieces[at][:place] + random.choice("{}%#|()*_`[]<>&;\\\"' \n") + pieces[at][place:]
        if not pieces:
            break
    return "".join(pieces)
