"""Our few HTML pages: with one style sheet, without scripts, and nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup
from starlette.responses import HTMLResponse

from avisa.web.guard import content_policy

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "pages"
STYLE = (FOLDER / "style.css").read_text("utf-8")
_POLICY = content_policy(STYLE, frame="'self'")


class Pages:
    """The pages of a folder. They may extend and import those of `web/pages`."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    @cached_property
    def _templates(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined  # here, for a start shows no page

        templates = Environment(
            loader=FileSystemLoader([self._folder, FOLDER]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        templates.globals["style"] = Markup(STYLE)  # noqa: S704 -- our own file
        return templates

    def __call__(
        self, name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: object
    ) -> HTMLResponse:
        """Return the page `name`, filled with `values`, each of which is escaped."""
        return HTMLResponse(
            self._templates.get_template(name).render(**values),
            status_code=status,
            headers={"Content-Security-Policy": _POLICY, **(headers or {})},
        )


page = Pages()
