"""The shipped messages for owners are sent where a folder has none of that name.

A new release may have something new to tell owners. A folder from before then still passes, and its owners read the
shipped words until the operators write their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from avisa.catalog.locale import choose_locale
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.templates.template_folder import shipped

FOR_OWNERS = frozenset(
    {
        *("ask-owner", "order-stuck", "promise-broken-owner", "unknown-status", "customer-unreachable"),
        *("too-many-mails", "several-orders"),
    }
)


def fallbacks(wanted: Collection[str], written: Collection[str], plan: Plan) -> dict[str, str]:
    """Return the files of those messages of `wanted` that nobody has written and that are shipped, each in the
    languages of the plan's brands and owners, in which owners are written to."""
    files: dict[str, str] = {}
    for name in sorted(FOR_OWNERS & set(wanted) - set(written)):
        folder = shipped() / "messages" / name
        there = tuple(sorted(path.stem for path in folder.glob("*.md")))
        brands, owners = plan.brands.values(), plan.owners.values()
        for spoken in {*(brand.locale for brand in brands), *(owner.locale for owner in owners if owner.locale)}:
            locale = choose_locale(there, spoken, spoken)
            if locale is not None:
                files[f"messages/{name}/{locale}.md"] = (folder / f"{locale}.md").read_text("utf-8")
    return files


def notes(names: Collection[str]) -> Iterator[Diagnostic]:
    """Yield a warning for each of these messages, which is sent in place of one of the folder."""
    for name in sorted(names):
        yield Diagnostic(
            code="shipped_message",
            severity="warning",
            file=f"messages/{name}/",
            message=f"there is no `{name}` in the folder, so owners read the shipped one",
        )
