"""The plan on disk, `plan.yaml`: read, checked in every respect, and taken as a whole or refused as a whole.

All mistakes are reported at once, each with its line and column, what is wrong and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from avisa.core.plan import Holidays, Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.yaml_errors import DocumentError
from avisa.diagnostics.yaml_reader import Document, Value, parse
from avisa.plan_file import schema
from avisa.plan_file.mistake import Mistake
from avisa.plan_file.pydantic_errors import mistakes_in, without
from avisa.plan_file.resolve import Resolver

__all__ = ["read", "schema"]


def read(
    text: str, holidays: Mapping[str, Holidays] | None = None, *, file: str, tell_from: datetime | None = None
) -> Plan | list[Diagnostic]:
    """Return the plan in `text`, or all mistakes in it, in the order of the file.

    `holidays` are those that are known, by country; the others are looked up. `tell_from` comes from the settings:
    customers are told of nothing that happened before it.
    """
    try:
        document = parse(text)
    except DocumentError as error:
        return [error.diagnostic(file)]
    mistakes: list[Mistake] = []
    written, plan = _validated(document.value, holidays, mistakes), None
    if written is not None:
        named = {section: _names(document.value, section) for section in ("brands", "calendars", "owners")}
        plan = Resolver(written, named, mistakes).resolve(tell_from)
    return plan or _diagnostics(mistakes, document, file)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the plan, for editors."""
    generated = schema.Plan.model_json_schema(by_alias=True)
    plain: dict[str, Any] = _plain(generated)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Avisa plan", **plain}


def _plain(part: Any) -> Any:
    """`part` without titles that repeat the key, and without the null that stands for a key left out."""
    if isinstance(part, list):
        return [_plain(each) for each in part]
    if not isinstance(part, dict):
        return part
    if {"type": "null"} in part.get("anyOf", ()):
        part = {**part, **part["anyOf"][0]}
        del part["anyOf"]
    return {key: _plain(each) for key, each in part.items() if key != "title" and (key, each) != ("default", None)}


def _validated(value: Value, holidays: Mapping[str, Holidays] | None, mistakes: list[Mistake]) -> schema.Plan | None:
    """The plan as it was written, without the entries that are wrong in themselves, so that the rest can be checked
    as a whole. None if too little is left for that. What is wrong is added to `mistakes`."""
    for _ in range(4):  # an entry left out may make the map around it incomplete, and that the next one
        try:
            return schema.Plan.model_validate(value, context=holidays)
        except ValidationError as error:
            found = mistakes_in(error)
        value = without(value, found)
        if not mistakes:  # what the later rounds find comes of what the first left out
            mistakes.extend(found)
    return None


def _names(value: Value, section: str) -> Iterable[str]:
    written = value.get(section) if isinstance(value, dict) else None
    return tuple(written) if isinstance(written, dict) else ()


def _diagnostics(mistakes: Iterable[Mistake], document: Document, file: str) -> list[Diagnostic]:
    """Each mistake once, though all touchpoints may repeat one that is in the defaults."""
    found = [mistake.diagnostic(document, file) for mistake in mistakes]
    unique = {(each.line or 0, each.column or 0, each.message): each for each in found}
    return [unique[at] for at in sorted(unique)]
