"""Our few HTML pages: with one style sheet, without scripts, and nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.responses import HTMLResponse

from avisa.web.guard import content_policy

FOLDER = Path(__file__).parent / "pages"
STYLE = (FOLDER / "style.css").read_text("utf-8")
_POLICY = content_policy(STYLE, frame="'self'")

_pages = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.globals["style"] = Markup(STYLE)  # noqa: S704 -- our own file


@cache
def _template(name: str) -> Template:
    return _pages.get_template(name)


def page(name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: object) -> HTMLResponse:
    """Return the page `name` of the folder `pages`, filled with `values`, each of which is escaped."""
    return HTMLResponse(
        _template(name).render(**values),
        status_code=status,
        headers={"Content-Security-Policy": _POLICY, **(headers or {})},
    )
