"""Where settings are read from: the environment, a `.env`, and files that hold one secret each.

Each source passes on only the names that exist and have a value; `wrong_names` reports the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic_core import PydanticCustomError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from avisa.settings.names import NAMES, SECRET_FILES
from avisa.settings.sections import PREFIX, Settings
from avisa.settings.values import MAX_FILE, read_secret


class Environment(EnvSettingsSource):
    """The settings in a mapping given to it; the environment of this process is not looked at."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.written = _meant_for_us(environ)
        self.env_vars = _settings(self.written)


class Dotenv(DotEnvSettingsSource):
    """The settings in a `.env`."""

    def __init__(self, file: Path | None) -> None:
        self.problems: list[str] = []
        super().__init__(Settings, env_file=file)
        self.written = _meant_for_us(self.env_vars)
        self.env_vars = _settings(self.written)

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        try:
            if file_path.stat().st_size <= MAX_FILE:
                # A $ in a password is a $: nothing is filled in.
                return dotenv_values(file_path, interpolate=False)
            self.problems.append(f"{file_path.name}: is larger than {MAX_FILE // 1024} KiB")
        except (OSError, UnicodeDecodeError):
            self.problems.append(f"{file_path.name}: cannot be read as text")
        return {}


class SecretFiles(EnvSettingsSource):
    """Secrets from files: AVISA_SMTP__PASSWORD from the file whose path AVISA_SMTP__PASSWORD_FILE gives."""

    def __init__(self, written: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.problems: list[str] = []
        secrets = {}
        for name, secret in SECRET_FILES.items():
            path = written.get(name, "").strip()
            if path and secret not in written:
                try:
                    secrets[secret] = read_secret(Path(path))
                except PydanticCustomError as error:
                    self.problems.append(f"{name}: {error.message()}")
        self.env_vars = _settings(secrets)


def _meant_for_us(names: Mapping[str, str | None]) -> dict[str, str]:
    """The names that are a mistake unless a setting has them: all with our prefix, but for those of the tests."""
    ours = (name for name in names if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_"))
    return {name: names[name] or "" for name in ours}


def _settings(written: Mapping[str, str]) -> dict[str, str | None]:
    """The values in `written` that belong to a setting, under the lower-case names that the base class looks up."""
    return {name.lower(): text for name, text in written.items() if name in NAMES and text.strip()}
