"""The statements of the store, by name. They stand in `statements.sql`, whose head says how it is written."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from avisa.store.sql.dialect import Query, Statement, column_names

_FILE = Path(__file__).with_suffix(".sql")


class _Block(NamedTuple):
    sql: str
    rows: str  # `order_id text, version bigint`


@cache
def _blocks() -> dict[str, _Block]:
    blocks = {}
    for block in re.split(r"^-- (?:name|part): ", _FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        name, *lines = block.splitlines()
        rows = ", ".join(line.removeprefix("-- rows: ") for line in lines if line.startswith("-- rows: "))
        blocks[name] = _Block(" ".join(line.strip() for line in lines if line and not line.startswith("--")), rows)
    return blocks


def _block(name: str) -> _Block:
    """The block of that name, with the parts that it names."""
    sql, rows = _blocks()[name]
    while parts := set(re.findall(r"\{(\w+)\}", sql)) & _blocks().keys():
        for part in parts:
            sql = sql.replace(f"{{{part}}}", _blocks()[part].sql)
    return _Block(sql.replace("{columns}", ", ".join(column_names(rows))), rows)


def statement(name: str) -> Statement:
    """The statement of that name, which changes something."""
    return Statement(*_block(name))


def query(name: str) -> Query:
    """The query of that name."""
    return Query(*_block(name))


def columns(part: str) -> tuple[str, ...]:
    """The columns in a part that is a list of plain columns."""
    return tuple(_blocks()[part].sql.split(", "))
