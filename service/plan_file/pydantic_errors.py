"""What pydantic found wrong, as mistakes in words for operators, and the document without it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from avisa.diagnostics.suggest import closest_match
from avisa.diagnostics.yaml_reader import Path, Value
from avisa.plan_file import schema
from avisa.plan_file.mistake import Mistake
from avisa.plan_file.values import quoted

_SENTENCES = {
    "bool_type": ("wrong_type", "must be true or false"),
    "bool_parsing": ("wrong_type", "must be true or false"),
    "int_type": ("wrong_type", "must be a whole number"),
    "int_parsing": ("wrong_type", "must be a whole number"),
    "int_parsing_size": ("wrong_type", "must be a whole number"),
    "int_from_float": ("wrong_type", "must be a whole number"),
    "greater_than_equal": ("out_of_range", "must be at least {ge}"),
    "less_than_equal": ("out_of_range", "must be at most {le}"),
    "model_type": ("wrong_type", "must be a map: keys with values"),
    "dict_type": ("wrong_type", "must be a map: keys with values"),
    "list_type": ("wrong_type", "must be a list, such as [a, b]"),
    "too_short": ("out_of_range", "must have at least {min_length} entry"),
    "too_long": ("out_of_range", "must have at most {max_length} entries"),
    "string_type": ("wrong_type", "must be text"),
}


def mistakes_in(error: ValidationError) -> list[Mistake]:
    return [_mistake(each) for each in error.errors(include_url=False, include_input=True)]


def without(value: Value, mistakes: Iterable[Mistake]) -> Value:
    """Return the document without the mistaken entries; where a key is missing, without the map around it."""
    gone = {mistake.entry for mistake in mistakes}
    return _pruned(value, (), gone) if () not in gone else {}


def _pruned(value: Value, path: Path, gone: set[Path]) -> Value:
    if isinstance(value, dict):
        return {key: _pruned(each, (*path, key), gone) for key, each in value.items() if (*path, key) not in gone}
    if isinstance(value, list):
        return [_pruned(each, (*path, n), gone) for n, each in enumerate(value) if (*path, n) not in gone]
    return value


def _mistake(error: ErrorDetails) -> Mistake:
    path: Path = error["loc"]
    context: dict[str, Any] = error.get("ctx", {})
    where = ".".join(str(key) for key in path if key != "[key]")
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(path, where)
    if kind == "missing":
        around, key = path[:-1], path[-1]
        return Mistake("missing_key", around, f"{'.'.join(map(str, around)) or 'the plan'} needs {key}")
    if kind == "literal_error":
        allowed = [text.strip("'") for text in str(context["expected"]).replace(" or ", ", ").split(", ")]
        written = error["input"] if isinstance(error["input"], str) else ""
        message = f"{where}: {quoted(written)} is not possible; allowed: {', '.join(allowed)}"
        return Mistake("not_allowed", path, message, closest_match(written, allowed))
    if "sentence" in context:  # raised by `values.invalid`
        return Mistake(kind, path, f"{where}: {context['sentence']}", context["suggestion"])
    code, sentence = _SENTENCES.get(kind, ("not_allowed", error["msg"]))
    if error["input"] == "" and code == "wrong_type":
        code, sentence = "no_value", f"there is no value; it {sentence}"
    return Mistake(code, path, f"{where or 'the plan'}: {sentence.format_map(context)}")


def _unknown_key(path: Path, where: str) -> Mistake:
    around = _model_at(path[:-1])
    key = str(path[-1])
    if key in around.NOT_YET:
        return Mistake("not_supported_yet", path, f"{where} is not supported yet", "leave it out")
    allowed = [each.alias or name for name, each in around.model_fields.items()]
    message = f"{where} is not a key of the plan; allowed: {', '.join(allowed)}"
    return Mistake("unknown_key", path, message, closest_match(key, allowed))


def _model_at(path: Path) -> type[schema.PlanMap]:
    """Return the model of the map at `path`."""
    at: Any = schema.Plan
    for key in path:
        if isinstance(at, type) and issubclass(at, schema.PlanMap):
            named = {each.alias or name: each.annotation for name, each in at.model_fields.items()}
            at = named[str(key)]
        else:
            at = get_args(at)[-1]  # the values of a dict
    found: type[schema.PlanMap] = at
    return found
