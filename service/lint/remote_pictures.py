"""What a layout fetches from hosts that are no brand's: such a host sees when each mail is opened, and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.links import Link, read
from avisa.lint.codes import diagnostic
from avisa.templates.jinja import parser
from avisa.templates.layout import mail_html
from avisa.templates.layout.html_scanner import Page
from avisa.templates.message_file import Part


def check_layout(files: Mapping[str, str], plan: Plan) -> Iterator[Diagnostic]:
    """Pictures and fonts of the layout that lie elsewhere. `files` have no errors."""
    addresses = [address for brand in plan.brands.values() for address in (brand.url, brand.logo) if address]
    own = {found.host for found in map(read, addresses) if isinstance(found, Link)}
    for file, html in sorted(files.items()):
        if not file.endswith(".html"):
            continue
        for place, host in _pictures(html):
            if host not in own:
                text = f"{f'`{host}`' if host else 'a host'} that is no brand's sees when each mail is opened"
                yield diagnostic("remote_picture", file, place, text)


@lru_cache(8)  # at most saves the layout is as it was
def _pictures(html: str) -> Sequence[tuple[tuple[int, int], str | None]]:
    """Where what is fetched from another host stands, and that host."""
    part = Part.of(html.replace("\r\n", "\n"), (1, 1))
    return [(part.place(offset), host) for offset, host in mail_html.pictures(Page.of(parser.parse(part.text)))]
