"""`avisa templates`: versions of plan and messages; history, diff, push, rollback, pull."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import typer

from avisa.app.catalogs import catalog_cache, read_folder
from avisa.catalog import Already, Found, NotOfHead, Unfit, Versions, content_of
from avisa.cli import umask
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, Failure, not_there, usage
from avisa.cli.person import login
from avisa.cli.session import load_settings, use_store
from avisa.cli.views import versions as views
from avisa.core.template_versions import Lineage, Origin, Version, newest
from avisa.ports import Clock
from avisa.settings import Settings
from avisa.store import Store
from avisa.templates import template_folder

T = TypeVar("T")
_NOTE = typer.Option(None, "--note", help="Why; shown in the history.")
_AUTHOR = typer.Option(None, "--author", help="Who; without it your login name.")


templates = typer.Typer(add_completion=False, rich_markup_mode=None)


# ---------------------------------------------------------------- looking


@templates.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        history()


@templates.command()
def history() -> None:
    """Show all versions of plan and messages, the newest first: who put what in force, when and why."""

    async def look(store: Store, _clock: Clock) -> list[dict[str, Any]]:
        return views.history_json(await store.versions.versions(), await store.versions.who_has_in_force())

    answer.give(use_store(load_settings(), look), views.history)


@templates.command()
def diff(
    a: str | None = typer.Argument(None, metavar="[A]", help="A version; without it the one in force."),
    b: str | None = typer.Argument(None, metavar="[B]", help="Another one; without it the folder."),
) -> None:
    """Show what differs between two versions, or between what is in force and the folder."""
    settings = load_settings()

    async def look(store: Store, versions: Versions, _clock: Clock) -> dict[str, Any]:
        lineage = await store.versions.versions()
        before = _version(lineage, a)
        if b is None:
            here = _read(settings, None)
            return views.difference(
                f"version {before.number}", await versions.files(before), here.place.partition(":")[2], here.files
            )
        after = _version(lineage, b)
        return views.difference(
            f"version {before.number}",
            await versions.files(before),
            f"version {after.number}",
            await versions.files(after),
        )

    answer.give(_with_versions(settings, look), views.patch)


# ---------------------------------------------------------------- changing


@templates.command()
def push(
    folder: Path | None = typer.Argument(None, metavar="[FOLDER]"),  # noqa: B008 -- how typer declares
    note: str | None = _NOTE,
    author: str | None = _AUTHOR,
    parent: str | None = typer.Option(
        None, "--parent", metavar="VERSION", help="The version that the folder was made of, or merged with."
    ),
) -> None:
    """Check the folder and put it in force, in every replica. It must have been made of what is in force now."""
    settings = load_settings()
    here = _read(settings, folder)
    who = author or login()

    async def change(store: Store, versions: Versions, clock: Clock) -> Version | Already | Unfit | NotOfHead:
        based_on = None if parent is None else _version(await store.versions.versions(), parent).number
        return await versions.push(here, based_on=based_on, author=who, note=note, at=clock.now())

    outcome = _with_versions(settings, change)
    if isinstance(outcome, NotOfHead):
        raise Failure(Exit.FINDINGS, "not_of_head", _not_of_head(outcome))
    _report(outcome)


@templates.command()
def rollback(
    version: str | None = typer.Argument(None, metavar="[VERSION]", help="Without it the one before the newest."),
    note: str | None = _NOTE,
    author: str | None = _AUTHOR,
) -> None:
    """Put an earlier version in force again, as a new one."""
    who = author or login()

    async def change(store: Store, versions: Versions, clock: Clock) -> Version | Already | Unfit:
        lineage = await store.versions.versions()
        target = _version(lineage, version) if version is not None else _before_head(lineage)
        return await versions.roll_back(target, author=who, note=note, at=clock.now())

    _report(_with_versions(load_settings(), change))


@templates.command()
def pull(
    where: list[str] = typer.Argument(..., metavar="[VERSION] DIR"),  # noqa: B008 -- how typer declares
) -> None:
    """Write a version out to a folder, to edit it there; without VERSION the one in force."""
    if len(where) > 2 or (len(where) == 1 and where[0].isdecimal()):
        raise usage("templates pull: give a folder, and before it a version if you like")
    folder = Path(where[-1])

    async def change(store: Store, versions: Versions, _clock: Clock) -> dict[str, Any]:
        lineage = await store.versions.versions()
        version = _version(lineage, where[0] if len(where) == 2 else None)
        files = await _files(versions, version)
        place, held = _safe_place(folder, lineage)
        # Before a file changes, so that a replica that follows the folder knows what it is.
        await store.versions.set_base(place, version.number)
        try:
            with umask.of_the_user():
                written, removed = template_folder.write(folder, files)
        except OSError as error:
            await store.versions.set_base(place, held)
            raise Failure(Exit.STORAGE, "storage", f"{folder}: {error.strerror}") from None
        return views.version_json(version) | {
            "folder": str(folder),
            "written": [str(path) for path in written],
            "removed": [str(path) for path in removed],
        }

    answer.give(
        _with_versions(load_settings(), change),
        lambda document: (
            f"{folder} has version {document['version']}: {len(document['written'])} file(s) written,"
            f" {len(document['removed'])} removed."
        ),
    )


# ---------------------------------------------------------------- parts of both


def _with_versions(settings: Settings, use: Callable[[Store, Versions, Clock], Coroutine[Any, Any, T]]) -> T:
    async def inside(store: Store, clock: Clock) -> T:
        cache = catalog_cache(settings, store)
        return await use(store, Versions(cache, store.versions), clock)

    return use_store(settings, inside)


async def _files(versions: Versions, version: Version) -> Mapping[str, str]:
    """The files of a version. Raises Failure if the store holds others than were put in force."""
    files = await versions.files(version)
    if content_of(files) != version.content:
        message = f"version {version.number} is not what was put in force: its hash differs; nothing was written"
        raise Failure(Exit.STORAGE, "storage", message)
    return files


def _version(lineage: Lineage, named: str | None) -> Version:
    """The version of that number or hash; None means the one in force. Raises Failure if it is none or several."""
    if not lineage:
        raise not_there("nothing was put in force yet: `avisa run` or `avisa templates push` does")
    if named is None:
        return lineage[0]
    found = views.find(lineage, named)
    if len(found) > 1:
        raise usage(f"{named} may be {', '.join(version.content for version in found)}")
    if not found:
        raise not_there(f"there is no version {named}; `avisa templates history` shows them")
    return found[0]


def _before_head(lineage: Lineage) -> Version:
    if len(lineage) < 2:
        raise not_there("there is no earlier version")
    if lineage[0].origin is Origin.ROLLBACK:
        raise usage(f"version {lineage[0].number} is a roll-back itself: say which version you want")
    return lineage[1]


def _read(settings: Settings, folder: Path | None) -> Found:
    """The folder as it is. Raises Failure if it, or something in it, cannot be read."""
    folder = template_folder.locate(folder or settings.templates)
    here = read_folder(folder)
    if here.unread:
        lines = [f"{folder / problem.file}: {problem.message}" for problem in here.unread]
        raise not_there("\n".join(lines))
    return here


def _safe_place(folder: Path, lineage: Lineage) -> tuple[str, int]:
    """The folder's place, and the number of the version in it, 0 if it is empty. Raises Failure if it holds changes
    that never were in force, for they would be lost."""
    here = read_folder(folder)
    if not folder.exists() or not (here.files or here.unread):
        return here.place, 0
    held = newest(content_of(here.files), lineage)
    if here.unread or held is None:
        raise Failure(
            Exit.FINDINGS,
            "unpushed",
            f"{folder}: there are changes in it that never were in force; nothing was written\n"
            "move it away, pull into another folder, or push it first",
        )
    return here.place, held.number


def _report(outcome: object) -> None:
    """Print what came of a push or a roll-back. Raises Failure if nothing was put in force."""
    match outcome:
        case Version():
            answer.give(
                views.version_json(outcome) | {"pushed": True},
                lambda document: (
                    f"Version {document['version']} ({document['hash']}) is in force; replicas take it up in seconds."
                ),
            )
        case Already(version):
            answer.give(
                views.version_json(version) | {"pushed": False},
                lambda document: f"These words are in force already, as version {document['version']}.",
            )
        case Unfit(problems):
            wrong = [f"{it.location}: {it.message}" for it in problems if it.severity == "error"]
            last = "nothing was put in force; avisa check shows each with its line"
            raise Failure(Exit.FINDINGS, "problems", "\n".join([*wrong, last]))


def _not_of_head(refusal: NotOfHead) -> str:
    head = refusal.head
    if refusal.holds is not None:
        return (
            f"this folder holds version {refusal.holds.number}, and version {head.number} is in force;"
            f" nothing was pushed\nto bring it back: avisa templates rollback {refusal.holds.number}"
        )
    why = f"nobody knows of which version this folder was made, and version {head.number} is in force"
    if refusal.based_on is not None:
        why = f"this folder was made of version {refusal.based_on.number}; it would undo version {head.number}"
    return (
        f"{why}; nothing was pushed\n"
        f"compare: avisa templates diff; get it: avisa templates pull {head.number} DIR; merge;"
        f" then: avisa templates push --parent {head.number}"
    )
