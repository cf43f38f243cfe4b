"""The settings: `AVISA_…` names from the environment and from a `.env` in the working directory.

pydantic-settings reads, nests and checks the values. What it would ignore is reported here too: a name that is no
setting, an empty value, a secret given twice. All problems are reported at once, one line each, and none of the lines
ever quotes a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from avisa.settings.description import describe
from avisa.settings.names import SECRET_FILES, name_of, wrong_names
from avisa.settings.sections import Clock, Kafka, Settings, Smtp
from avisa.settings.sources import Dotenv, Environment, SecretFiles
from avisa.settings.this_machine import is_loopback

__all__ = ["DOTENV", "Clock", "Kafka", "Settings", "Smtp", "cautions", "describe", "load"]

DOTENV = Path(".env")


def load(environ: Mapping[str, str], dotenv: Path | None = DOTENV) -> Settings | list[str]:
    """Return the settings of `environ`, completed by the file `dotenv`; or, if any is wrong, one line per problem."""
    environment, file = Environment(environ), Dotenv(dotenv)
    written = file.written | environment.written
    secrets = SecretFiles(written)
    origins = {name: "environment" if name in environment.written else ".env" for name in written}

    class Loaded(Settings):
        read_from = (environment, secrets, file)
        sources = origins | {of: f"{origins[name]} ({name})" for name, of in SECRET_FILES.items() if name in written}

    problems = [*file.problems, *wrong_names(written), *secrets.problems]
    try:
        settings = Loaded()
    except ValidationError as error:
        return sorted([*problems, *map(_line, error.errors(include_url=False, include_input=False))])
    return sorted(problems) or settings


def cautions(settings: Settings) -> list[str]:
    """Return one line for each thing that works but is probably not meant."""
    url = urlsplit(settings.public_url or "")
    if url.scheme == "http" and not is_loopback(url.hostname):
        return ["AVISA_PUBLIC_URL: one-click unsubscribing needs https (RFC 8058)"]
    if not settings.public_url and settings.smtp.host:
        return ["AVISA_PUBLIC_URL: is not given, so mails offer no way to unsubscribe"]
    return []


_SENTENCES = {  # by the type of pydantic's error
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "must be greater than {gt:.0f}",
    "greater_than_equal": "must be at least {ge:.0f}",
    "less_than_equal": "must be at most {le:.0f}",
    "literal_error": "must be one of {expected}",
    "setting": "{rule}",
}


def _line(error: ErrorDetails) -> str:
    sentence = _SENTENCES.get(error["type"], "is not possible").format_map(error.get("ctx", {}))
    if error["type"] == "literal_error":
        sentence = sentence.replace("'", "").replace(" or ", ", ")
    return f"{name_of(map(str, error['loc']))}: {sentence}"
