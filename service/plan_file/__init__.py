"""The plan on disk, `plan.yaml`: read, checked in every respect, and either whole or refused.

All that is wrong is told at once, each thing with its line and column, what is wrong and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.yaml_errors import DocumentError
from avisa.diagnostics.yaml_reader import Document, Value, parse
from avisa.plan_file import schema
from avisa.plan_file.pydantic_errors import without, wrongs
from avisa.plan_file.resolve import Fault, Resolver

__all__ = ["read", "schema"]


def read(text: str, *, file: str, tell_from: datetime | None = None) -> Plan | list[Diagnostic]:
    """The plan in `text`, or everything that is wrong with it, in the order of the file."""
    try:
        document = parse(text)
    except DocumentError as error:
        return [error.diagnostic(file)]
    faults: list[Fault] = []
    written, plan = _form(document.value, faults), None
    if written is not None:
        named = {section: _names(document.value, section) for section in ("brands", "calendars", "owners")}
        resolver = Resolver(written, named, faults)
        plan = resolver.resolve(tell_from)
    return plan or _problems(faults, document, file)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the plan, for editors."""
    generated = schema.Plan.model_json_schema(by_alias=True)
    plain: dict[str, Any] = _plain(generated)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Avisa plan", **plain}


def _plain(part: Any) -> Any:
    """Without titles that repeat the key, and without the null that stands for a key left out."""
    if isinstance(part, list):
        return [_plain(each) for each in part]
    if not isinstance(part, dict):
        return part
    if {"type": "null"} in part.get("anyOf", ()):
        part = {**part, **part["anyOf"][0]}
        del part["anyOf"]
    return {key: _plain(each) for key, each in part.items() if key != "title" and (key, each) != ("default", None)}


def _form(value: Value, faults: list[Fault]) -> schema.Plan | None:
    """What was written, less what is wrong in itself, so that the rest can still be checked as a whole."""
    found: list[Fault] | None = None
    for _ in range(4):  # what is left out may leave a hole around it, and that another
        try:
            written = schema.Plan.model_validate(value)
        except ValidationError as error:
            new = wrongs(error)
            found = new if found is None else found
            value = without(value, new)
        else:
            faults.extend(found or ())
            return written
    faults.extend(found or ())
    return None


def _names(value: Value, section: str) -> Iterable[str]:
    written = value.get(section) if isinstance(value, dict) else None
    return tuple(written) if isinstance(written, dict) else ()


def _problems(faults: Iterable[Fault], document: Document, file: str) -> list[Diagnostic]:
    problems: dict[tuple[int, int, str], Diagnostic] = {}
    for fault in faults:
        of_key = fault.code in {"unknown_key", "not_supported_yet", "missing_key"} or fault.path[-1:] == ("[key]",)
        path = fault.path[:-1] if fault.path[-1:] == ("[key]",) else fault.path
        place = document.key(path) if of_key else document.at(path)
        problems[place.line, place.column, fault.message] = Diagnostic(
            code=fault.code,
            file=file,
            line=place.line,
            column=place.column,
            message=fault.message,
            suggestion=fault.suggestion,
        )
    return [problems[at] for at in sorted(problems)]
