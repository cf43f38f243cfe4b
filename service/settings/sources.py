"""Where settings are written: in the environment, in a `.env`, and secrets in files of their own.

Only names that exist, with a value, are handed on; `wrong_names` tells the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic_core import PydanticCustomError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from avisa.settings.names import NAMES, SECRET_FILES, is_ours
from avisa.settings.sections import Settings
from avisa.settings.values import LARGEST, secret_in


class Environment(EnvSettingsSource):
    """Settings by their names in a mapping, whatever the environment of this process may hold."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.written = _ours(environ)
        self.env_vars = _settings(self.written)


class Dotenv(DotEnvSettingsSource):
    """Settings by their names in a `.env`."""

    def __init__(self, file: Path | None) -> None:
        self.problems: list[str] = []
        super().__init__(Settings, env_file=file)
        self.written = _ours(self.env_vars)
        self.env_vars = _settings(self.written)

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        try:
            if file_path.stat().st_size <= LARGEST:
                # A $ in a password is a $: nothing is filled in.
                return dotenv_values(file_path, interpolate=False)
            self.problems.append(f"{file_path.name}: is larger than {LARGEST // 1024} KiB")
        except (OSError, UnicodeDecodeError):
            self.problems.append(f"{file_path.name}: cannot be read as text")
        return {}


class SecretFiles(EnvSettingsSource):
    """Secrets by the paths of their files: AVISA_SMTP__PASSWORD out of what AVISA_SMTP__PASSWORD_FILE names."""

    def __init__(self, written: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.problems: list[str] = []
        secrets = {}
        for name, secret in SECRET_FILES.items():
            path = written.get(name, "").strip()
            if path and secret not in written:
                try:
                    secrets[secret] = secret_in(Path(path))
                except PydanticCustomError as refusal:
                    self.problems.append(f"{name}: {refusal.message()}")
        self.env_vars = _settings(secrets)


def _ours(names: Mapping[str, str | None]) -> dict[str, str]:
    return {name: text or "" for name, text in names.items() if is_ours(name)}


def _settings(written: Mapping[str, str]) -> dict[str, str | None]:
    """The values of settings in `written`, by their names in the lower case that the base class looks for."""
    return {name.lower(): text for name, text in written.items() if name in NAMES and text.strip()}
