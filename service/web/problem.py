"""A refusal that a program can read: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse


class Problem(JSONResponse):
    """What is wrong, for a person in `detail` and for a program in `status` and the members of its own."""

    media_type = "application/problem+json"

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        # Without a `type` the title is that of the status (RFC 9457 section 4.2.1).
        content = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail, **members}
        super().__init__(content, status_code=status, headers=headers)
