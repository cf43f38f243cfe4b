"""The names of the settings: `AVISA_` and the path through the sections, as in `AVISA_KAFKA__GROUP_ID`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from avisa.diagnostics.suggest import closest_match
from avisa.settings.sections import DELIMITER, PREFIX, Section, Settings


def name_of(path: Iterable[str]) -> str:
    """Return the name of the setting at `path` in `Settings`: `AVISA_HTTP__PORT` for http, port."""
    return PREFIX + DELIMITER.join(path).upper()


def wrong_names(written: Mapping[str, str]) -> Iterator[str]:
    """One line for each name that is no setting, has no value, or gives a secret that is given by itself too."""
    for name, text in written.items():
        if name not in NAMES and name not in SECRET_FILES:
            near = closest_match(name, [*NAMES, *SECRET_FILES])
            yield f"{name}: there is no such setting" + (f"; did you mean {near}?" if near else "")
        elif not text.strip():
            yield f"{name}: is empty; give it a value or leave it out"
        elif SECRET_FILES.get(name) in written:
            yield f"{SECRET_FILES[name]}: given twice, by itself and as {name}"


def _fields(section: type[Section], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    for key, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _fields(field.annotation, (*path, key))
        else:
            yield (*path, key), field


NAMES = {name_of(path): path for path, _ in _fields(Settings)}
"""Every setting by name, with its path in `Settings`."""

SECRET_FILES = {
    f"{name_of(path)}_FILE": name_of(path)
    for path, field in _fields(Settings)
    if SecretStr in (field.annotation, *get_args(field.annotation))
}
"""The names that give the path of a file with a secret, each with the name of the secret itself, as in
`{"AVISA_SECRET_KEY_FILE": "AVISA_SECRET_KEY"}`. Not among them
is AVISA_KAFKA__KEY_FILE, which is a setting of its own."""
