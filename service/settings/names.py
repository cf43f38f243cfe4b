"""The names of the settings: `AVISA_`, and the way through the sections with `__` between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from avisa.diagnostics.suggest import closest_match
from avisa.settings.sections import DELIMITER, PREFIX, Section, Settings

_OTHERS = f"{PREFIX}TEST_"  # what the tests are told by; no setting begins so


def name_of(path: Iterable[str]) -> str:
    """The name of the setting that `path` leads to in `Settings`."""
    return PREFIX + DELIMITER.join(path).upper()


def is_ours(name: str) -> bool:
    """Whether `name` must be that of a setting."""
    return name.startswith(PREFIX) and not name.startswith(_OTHERS)


def wrong_names(written: Mapping[str, str]) -> Iterator[str]:
    """A line for each name that is of no setting, says nothing, or says again what another one does."""
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
"""Every setting, and where it is in `Settings`."""

SECRET_FILES = {
    f"{name_of(path)}_FILE": name_of(path)
    for path, field in _fields(Settings)
    if SecretStr in (field.annotation, *get_args(field.annotation))
}
"""The names that give the path of a secret's file, and the secret. AVISA_KAFKA__KEY_FILE is none, but a setting."""
