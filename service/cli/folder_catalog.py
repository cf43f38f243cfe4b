"""A catalog made of the folder for one command. It is put in force nowhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from avisa import plan_file
from avisa.catalog import PLAN, Catalog, CompileFolder, Installation, KeptCatalog, Renderer, examine
from avisa.cli.exits import Exit, Failure, not_there
from avisa.core.plan import Holidays, Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.settings import Settings
from avisa.templates import template_folder
from avisa.templates.compile_folder import assemble, compile_folder, open_unchecked
from avisa.templates.open_folder import open_folder


def folder_catalog(settings: Settings) -> Catalog:
    """The catalog of the whole folder. Raises Failure if anything in it is wrong."""
    files, unread = _read(settings)
    return _catalog(settings, files, unread, compile_folder)


def folder_plan(settings: Settings) -> Plan:
    """The plan of the folder. Raises Failure if it is wrong."""
    files, unread = _read(settings)
    plan = plan_file.read(files[PLAN], file=PLAN) if PLAN in files else unread
    if isinstance(plan, list):
        lines = "\n".join(f"{problem.location}: {problem.summary}" for problem in plan)
        raise Failure(Exit.FINDINGS, "problems", lines or "there is no plan")
    return plan


def message_catalog(message: str, settings: Settings, *, redirected: bool = False) -> Catalog:
    """A catalog of one message, whatever is wrong with the others. `redirected`: its mails go to
    AVISA_SMTP__REDIRECT_TO, if that is set. Raises Failure if there is no such message, or it is wrong."""
    files, unread = _read(settings)
    of_others = re.compile(rf"messages/(?!{re.escape(message)}/)([^/]+)/")
    unread = [problem for problem in unread if not of_others.match(problem.file)]
    if not unread and not any(file.startswith(f"messages/{message}/") for file in files):
        there = sorted({found[1] for file in files if (found := of_others.match(file))})
        raise not_there(f"there is no message {message}; there are {', '.join(there)}")

    def compile_message(texts: Mapping[str, str], plan: Plan) -> tuple[Renderer | None, list[Diagnostic]]:
        renderer, found = assemble(texts, plan, redirect_to=settings.smtp.redirect_to if redirected else None)
        own = [it for it in found if it.severity == "error" and it.code != "missing_message"]
        return (None if own else renderer), own

    wanted = {file: text for file, text in files.items() if not of_others.match(file)}
    return _catalog(settings, wanted, unread, compile_message)


def plan_at(settings: Settings, path: Path | None) -> Plan:
    """The plan in this file, or in this folder; without a path that of the folder in use. Raises Failure."""
    file = _plan_file(settings, path)
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise not_there(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise not_there(f"{file}: is not UTF-8") from None
    plan = plan_file.read(text, file=file.name, tell_from=settings.kafka.tell_from)
    if isinstance(plan, Plan):
        return plan
    lines = "\n".join(f"{file.parent / problem.location}: {problem.summary}" for problem in plan)
    raise Failure(Exit.FINDINGS, "problems", lines)


def unchecked_catalog(settings: Settings, path: Path | None) -> Catalog:
    """A catalog of the plan at `path`, which `plan_at` took, and of the messages beside it; of those in the folder in
    use, if there are none. A message that is wrong is found out when it is rendered. Raises Failure if the layout
    is."""
    plan = _plan_file(settings, path)
    beside = (plan.parent / "messages").is_dir()
    files, unread = _read(settings.model_copy(update={"templates": plan.parent}) if beside else settings)
    return _catalog(settings, {**files, PLAN: plan.read_text("utf-8")}, unread, open_unchecked)


def catalog_of(settings: Settings, kept: KeptCatalog) -> Catalog:
    """A kept catalog, which was in force. Raises Failure if it cannot be any more."""
    return _catalog(settings, kept.files, [], open_folder, kept.holidays)


def _plan_file(settings: Settings, path: Path | None) -> Path:
    where = template_folder.locate(settings.templates) if path is None else path
    return where / PLAN if where.is_dir() else where


def _read(settings: Settings) -> tuple[dict[str, str], list[Diagnostic]]:
    folder = template_folder.locate(settings.templates)
    try:
        return template_folder.read(folder)
    except OSError as error:
        raise not_there(f"{folder}: {error.strerror or 'is not a folder'}") from None


def _catalog(
    settings: Settings,
    files: Mapping[str, str],
    unread: list[Diagnostic],
    compile_files: CompileFolder,
    holidays: Mapping[str, Holidays] | None = None,
) -> Catalog:
    read = partial(plan_file.read, holidays=holidays, file=PLAN, tell_from=settings.kafka.tell_from)
    plan, renderer, found = examine(files, read, compile_files)
    if plan is None or renderer is None or unread:
        wrong = [problem for problem in [*unread, *found] if problem.severity == "error"]
        lines = "\n".join(f"{problem.location}: {problem.summary}" for problem in wrong)
        raise Failure(Exit.FINDINGS, "problems", lines + "\n`avisa check` says more")
    installation = Installation(secret=b"a preview unsubscribes nobody", public_url=settings.public_url)
    return Catalog(version="preview", plan=plan, renderer=renderer, installation=installation)
