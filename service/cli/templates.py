"""Versions of plan and messages: history, diff, push, rollback, pull."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from avisa.cli import lineages
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, Failure, not_there, usage
from avisa.cli.surroundings import inside_store, settings
from avisa.core.template_versions import Lineage, Origin, Version, newest

if TYPE_CHECKING:
    from avisa.catalog import Found, NotOfHead, Unfit, Versions
    from avisa.ports import Clock
    from avisa.settings import Settings
    from avisa.store import Store

T = TypeVar("T")
_NOTE = typer.Option(None, "--note", help="Why; shown in the history.")
_AUTHOR = typer.Option(None, "--author", help="Who; without it your login name.")


def register(app: typer.Typer) -> None:
    templates = typer.Typer(
        help="Plan and messages: who put what in force, and when; push, undo.", rich_markup_mode=None
    )
    templates.callback(invoke_without_command=True)(show_history)
    for command in (history, diff, push, rollback, pull):
        templates.command()(command)
    app.add_typer(templates, name="templates")


# ---------------------------------------------------------------- looking


def show_history(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        history()


def history() -> None:
    """Show all versions of plan and messages, the newest first: who put what in force, when and why."""

    async def look(store: Store, _clock: Clock) -> list[dict[str, Any]]:
        return lineages.told(await store.versions.versions(), await store.versions.who_has_in_force())

    answer.give(inside_store(settings(), look), lineages.log)


def diff(
    a: str | None = typer.Argument(None, metavar="[A]", help="A version; without it the one in force."),
    b: str | None = typer.Argument(None, metavar="[B]", help="Another one; without it the folder."),
) -> None:
    """Show what differs between two versions, or between what is in force and the folder."""
    known = settings()

    async def look(store: Store, versions: Versions, _clock: Clock) -> dict[str, Any]:
        lineage = await store.versions.versions()
        before = _version(lineage, a)
        if b is None:
            here = _found(known, None)
            return lineages.difference(
                f"version {before.number}", await versions.files(before), here.place.partition(":")[2], here.files
            )
        after = _version(lineage, b)
        return lineages.difference(
            f"version {before.number}",
            await versions.files(before),
            f"version {after.number}",
            await versions.files(after),
        )

    answer.give(_with_versions(known, look), lineages.patch)


# ---------------------------------------------------------------- changing


def push(
    folder: Path | None = typer.Argument(None, metavar="[FOLDER]"),  # noqa: B008 -- how typer declares
    note: str | None = _NOTE,
    author: str | None = _AUTHOR,
    parent: str | None = typer.Option(
        None, "--parent", metavar="VERSION", help="The version that the folder was made of, or merged with."
    ),
) -> None:
    """Check the folder and put it in force, in every replica. It must have been made of what is in force now."""
    from avisa.catalog import Already, NotOfHead

    known = settings()
    here = _found(known, folder)
    who = author or _login()

    async def change(store: Store, versions: Versions, clock: Clock) -> Version | Already | Unfit | NotOfHead:
        based_on = None if parent is None else _version(await store.versions.versions(), parent).number
        return await versions.push(here, based_on=based_on, author=who, note=note, at=clock.now())

    outcome = _with_versions(known, change)
    if isinstance(outcome, NotOfHead):
        raise Failure(Exit.FINDINGS, "not_of_head", _not_of_head(outcome))
    _put(outcome)


def rollback(
    version: str | None = typer.Argument(None, metavar="[VERSION]", help="Without it the one before the newest."),
    note: str | None = _NOTE,
    author: str | None = _AUTHOR,
) -> None:
    """Put an earlier version in force again, as a new one."""
    from avisa.catalog import Already

    who = author or _login()

    async def change(store: Store, versions: Versions, clock: Clock) -> Version | Already | Unfit:
        lineage = await store.versions.versions()
        target = _version(lineage, version) if version is not None else _before_head(lineage)
        return await versions.roll_back(target, author=who, note=note, at=clock.now())

    _put(_with_versions(settings(), change))


def pull(
    where: list[str] = typer.Argument(..., metavar="[VERSION] DIR"),  # noqa: B008 -- how typer declares
) -> None:
    """Write a version out to a folder, to edit it there; without VERSION the one in force."""
    if len(where) > 2 or (len(where) == 1 and where[0].isdecimal()):
        raise usage("templates pull: give a folder, and before it a version if you like")
    from avisa.templates import template_folder

    folder = Path(where[-1])

    async def change(store: Store, versions: Versions, _clock: Clock) -> dict[str, Any]:
        lineage = await store.versions.versions()
        version = _version(lineage, where[0] if len(where) == 2 else None)
        files = await versions.files(version)
        place, held = _safe_place(folder, lineage)
        await store.versions.set_base(
            place, version.number
        )  # before a file changes: a replica that follows it knows what it is
        try:
            written, removed = template_folder.write(folder, files)
        except OSError as error:
            await store.versions.set_base(place, held)
            raise Failure(Exit.STORAGE, "storage", f"{folder}: {error.strerror}") from None
        told = {"folder": str(folder), "written": [str(path) for path in written]}
        return lineages.shape(version) | told | {"removed": [str(path) for path in removed]}

    answer.give(
        _with_versions(settings(), change),
        lambda told: (
            f"{folder} has version {told['version']}: {len(told['written'])} file(s) written,"
            f" {len(told['removed'])} removed."
        ),
    )


# ---------------------------------------------------------------- their parts


def _with_versions(known: Settings, use: Callable[[Store, Versions, Clock], Coroutine[Any, Any, T]]) -> T:
    from avisa.app.template_sync import shelf_of
    from avisa.catalog import Versions as Here

    async def inside(store: Store, clock: Clock) -> T:
        shelf = shelf_of(known, store, b"nothing is sent from here", known.public_url)
        return await use(store, Here(shelf, store.versions), clock)

    return inside_store(known, inside)


def _version(lineage: Lineage, named: str | None) -> Version:
    """The version that is meant; None means the one in force. Raises Failure."""
    if not lineage:
        raise not_there("nothing was put in force yet: `avisa run` or `avisa templates push` does")
    if named is None:
        return lineage[0]
    found = lineages.find(lineage, named)
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


def _found(known: Settings, folder: Path | None) -> Found:
    """The folder as it is. Raises Failure if it, or something in it, cannot be read."""
    from avisa.app.template_sync import found
    from avisa.templates import template_folder

    folder = template_folder.locate(folder or known.templates)
    here = found(folder)
    if here.unread:
        lines = [f"{folder / problem.file}: {problem.message}" for problem in here.unread]
        raise not_there("\n".join(lines))
    return here


def _safe_place(folder: Path, lineage: Lineage) -> tuple[str, int]:
    """Whose the folder is, and the number of the version that it holds; 0: it is empty. Raises Failure if
    something would be lost that never was in force."""
    from avisa.app.template_sync import found
    from avisa.catalog import content_of

    here = found(folder)
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


def _put(outcome: object) -> None:
    """Say what came of a push or a roll-back. Raises Failure."""
    from avisa.catalog import Already, Unfit

    match outcome:
        case Version():
            answer.give(
                lineages.shape(outcome) | {"pushed": True},
                lambda told: (
                    f"Version {told['version']} ({told['hash']}) is in force; replicas take it up in seconds."
                ),
            )
        case Already(version):
            answer.give(
                lineages.shape(version) | {"pushed": False},
                lambda told: f"These words are in force already, as version {told['version']}.",
            )
        case Unfit(problems):
            wrong = [f"{it.location}: {it.message}" for it in problems if it.severity == "error"]
            last = "nothing was put in force; avisa check shows each with its line"
            raise Failure(Exit.FINDINGS, "problems", "\n".join([*wrong, last]))


def _not_of_head(told: NotOfHead) -> str:
    head = told.head
    if told.holds is not None:
        return (
            f"this folder holds version {told.holds.number}, and version {head.number} is in force;"
            f" nothing was pushed\nto bring it back: avisa templates rollback {told.holds.number}"
        )
    why = f"nobody knows of which version this folder was made, and version {head.number} is in force"
    if told.based_on is not None:
        why = f"this folder was made of version {told.based_on.number}; it would undo version {head.number}"
    return (
        f"{why}; nothing was pushed\n"
        f"compare: avisa templates diff; get it: avisa templates pull {head.number} DIR; merge;"
        f" then: avisa templates push --parent {head.number}"
    )


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise usage("--author: whoever runs this has no login name; say who it is") from None
