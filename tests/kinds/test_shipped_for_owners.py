"""What a release has new to tell owners must not break the folder of an operator: where it lacks the
message, the shipped one is sent, and the check only says so."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from avisa.core.model import Alert
from avisa.core.plan import key_of
from avisa.plan_file import schema
from avisa.templates.compile_folder import compile_folder
from avisa.templates.open_folder import open_folder
from avisa.templates.renderer import Renderer
from avisa.templates.shipped_messages import FOR_OWNERS
from tests.flows.harness import running
from tests.templates.harness import PLAN, SHIPPED, catalog_of, files, mailed, read_plan
from tests.tools.waiting import until


def without(*names: str, plan: str = PLAN) -> dict[str, str]:
    """The small folder without these messages."""
    lacking = tuple(f"messages/{name}/" for name in names)
    return {file: text for file, text in files().items() if not file.startswith(lacking)} | {"plan.yaml": plan}


def compiled(folder: dict[str, str]) -> tuple[Renderer | None, list[tuple[str, str]]]:
    plan = read_plan(folder["plan.yaml"])
    renderer, problems = compile_folder(folder, plan)
    return renderer, [(problem.code, problem.file) for problem in problems]


def test_there_is_one_for_what_owners_are_told_by_default() -> None:
    messages = schema.Messages()
    assert {getattr(messages, key_of(alert)) for alert in Alert} | {messages.ask_owner} == FOR_OWNERS
    assert all((SHIPPED / "messages" / name).is_dir() for name in FOR_OWNERS)


@pytest.mark.parametrize("name", sorted(FOR_OWNERS))
def test_a_folder_without_the_message_passes_with_a_warning(name: str) -> None:
    asking = PLAN.replace("  window: 48h", "  window: 48h\n  ask_owner_at: 60%").replace(
        "{message: plain, final: true}", "{message: plain, final: true, fulfils_promise: true}"
    )
    renderer, problems = compiled(without(name, plan=asking))
    assert renderer is not None
    assert problems == [("shipped_message", f"messages/{name}/")]


def test_it_is_in_the_language_of_the_brand() -> None:
    """And a folder in one language is not asked to translate its messages because of one that is not its own."""
    renderer, _ = compiled(without("order-stuck"))
    assert renderer is not None
    assert renderer.locales("order-stuck") == ("pt-PT",)
    rendered, _ = mailed(catalog_of(without("order-stuck")), "order-stuck")
    assert "está parada" in rendered.subject


@pytest.mark.parametrize("line", ["messages: {stuck: my-own}", "messages: {flood: my-own}"])
def test_a_message_that_the_operator_named_must_be_there(line: str) -> None:
    plan = PLAN.replace("  window: 48h", f"  window: 48h\n  {line}")
    renderer, problems = compiled(without("order-stuck", "too-many-mails", plan=plan))
    assert renderer is None
    assert ("missing_message", "plan.yaml") in problems


def test_there_is_none_for_a_message_to_customers() -> None:
    renderer, problems = compiled(without("still-in-progress"))
    assert renderer is None
    assert problems == [("missing_message", "plan.yaml")]


def test_a_message_with_an_error_is_refused_and_not_replaced() -> None:
    folder = files(**{"several-orders": "---\nsubject: s\nshort: s\n---\n{{ nothing }}\n"})
    renderer, problems = compiled(folder)
    assert renderer is None
    assert [code for code, _ in problems] == ["unknown_name"]


def test_a_restart_has_the_same_messages() -> None:
    folder = without("too-many-mails", "several-orders")
    opened, problems = open_folder(folder, read_plan(PLAN))
    tried, _ = compiled(folder)
    assert opened is not None
    assert tried is not None
    assert not problems
    assert opened.names() == tried.names()


async def test_a_list_is_told_in_the_shipped_words(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows:
        await flows.push(without("several-orders"))
        async with flows.sending():
            for number in range(3):
                await flows.happens("glazed", f"A-{number}")
                flows.dispatch.nudge()
                await flows.became(f"A-{number}/1/owner_alert/unknown_status/owner:care", "sent", "held")
            await flows.pass_time(timedelta(hours=1))
            await until(lambda: len(flows.channel.mails) == 2)
    subject = message_from_bytes(flows.channel.mails[1].data, policy=policy.default)["Subject"]
    assert subject == "Mais encomendas (2) com um estado que ninguém previu"
