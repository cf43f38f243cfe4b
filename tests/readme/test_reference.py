"""docs/reference.md names all there is, and nothing else; and the README draws the floors as they are."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from typer.core import TyperGroup

from avisa import telemetry
from avisa.cli.commands import COMMANDS, load
from avisa.cli.exits import Exit
from avisa.core.model import Purpose, Reason, State
from avisa.embedded.inbox import Inbox
from avisa.settings import Settings, describe
from avisa.settings.names import SECRET_FILES
from avisa.web import asyncapi, health, inbox, publish, question, unsubscribe
from tests.readme import documents


def test_every_setting_is_listed_with_its_default_and_whether_it_is_secret() -> None:
    rows = {
        documents.words(name)[0]: (documents.words(default), "*" in name)
        for name, default, _ in documents.table("Settings")
    }
    secrets = SECRET_FILES.values()
    described = {
        name: ([] if setting["value"] is None else [_plain(setting["value"])], name in secrets)
        for name, setting in describe(Settings()).items()
    }
    assert rows == described


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_metric_is_listed_with_its_labels() -> None:
    telemetry.decided(Reason.ENTERED)
    telemetry.dead_lettered(Reason.NOT_JSON)
    telemetry.field_ignored("time")
    telemetry.odd_time("ahead")
    telemetry.queued(Purpose.UPDATE, "email")
    telemetry.held(Reason.FLOOD)
    shown = telemetry.exposition(
        telemetry.Readings(
            outbox={State.QUEUED: 1}, outbox_oldest_seconds=1, orders={"open": 1}, promises={"open": 1}, in_doubt=1,
            kafka_lag_records=1, kafka_lag_seconds=1, kafka_open_transaction_records=0, blind=False, paused=False,
            questions={"open": 1}, channel_paused={"email": False}, catalog_ok=True, smtp_connections=1,
        )
    )  # fmt: skip
    known: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(shown.decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        known[name] = {label for sample in family.samples for label in sample.labels}
    assert {
        documents.words(name)[0]: set(documents.words(labels)) for name, labels, _ in documents.table("Metrics")
    } == known


def test_every_reason_that_can_be_seen_is_listed_once() -> None:
    named = [documents.words(name)[0] for name, *_ in documents.table("Reasons")]
    assert sorted(named) == sorted(Reason)


def test_every_command_is_listed() -> None:
    named = {
        " ".join(re.match(r"avisa((?: [a-z-]+)+)", usage)[1].split())  # type: ignore[index] # each row has one
        for row in documents.table("Commands")
        for usage in documents.words(row[0])
    }
    # A bare `[list]` is optional, as the command's own help says too.
    assert named | {"dead-letters list"} == set(_commands())


def _commands() -> list[str]:
    found = []
    for name in COMMANDS:
        command = load(name)
        if not isinstance(command, TyperGroup) or command.invoke_without_command:
            found.append(name)
        found += [f"{name} {each}" for each in getattr(command, "commands", ())]
    return found


def test_every_exit_code_is_listed() -> None:
    line = documents.section("Commands").partition("Exit codes: ")[2].partition("\n\n")[0]
    assert {int(code) for code in re.findall(r"\b\d+\b", line)} == {*Exit, 130}


def test_every_path_of_the_web_is_listed() -> None:
    named = {path.split()[-1] for row in documents.table("HTTP") for path in documents.words(row[0])}
    assert {re.sub(r"[A-Z]{2,}", "{}", path) for path in named} == {
        re.sub(r"\{.+?\}", "{}", path) for path in _paths()
    }


def _paths() -> set[str]:
    """Those of every room of the web; the pages inside a mail's own page are not for people to know."""

    def unused(*_: object) -> Any:
        raise AssertionError("nobody asks here")

    site = [
        *health.routes(alive=unused, ready=unused),
        *unsubscribe.routes(unused, unused),
        *question.routes(unused),  # type: ignore[arg-type] # nobody answers either
        *asyncapi.routes(unused),
        *publish.routes(unused),  # type: ignore[arg-type] # nor does anybody publish
        *inbox.routes(Inbox(unused)),  # type: ignore[arg-type] # its clock is not asked either
    ]
    return {"/metrics", *(route.path for route in site if not re.search(r"\}/", route.path))}


def test_the_floors_in_the_readme_are_those_of_import_linter() -> None:
    contract = tomllib.loads((documents.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    drawn = re.findall(r"^\| (\w[\w |]*?) +\|(?: {3}.*)?$", documents.blocks("floors")[0], re.MULTILINE)
    assert [set(line.split(" | ")) for line in drawn] == [set(line.split(" | ")) for line in contract["layers"]]
