"""Who may use the API: whoever has its key, as a bearer token (RFC 6750 section 2.1)."""

from __future__ import annotations

import hmac

from starlette.requests import Request

from avisa.web.problem import Problem

SETTING = "AVISA_HTTP__API_KEY"
_CHALLENGE = 'Bearer realm="avisa"'


def refusal(request: Request, api_key: str | None) -> Problem | None:
    """What to answer to a request without the key; None if it has it. Without a key nobody may."""
    if api_key is None:
        return Problem(403, f"nobody may: give a key by {SETTING}, and send it as `Authorization: Bearer KEY`")
    written = request.headers.getlist("authorization")
    scheme, _, token = written[0].partition(" ") if len(written) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        detail = f"send the key of {SETTING} as `Authorization: Bearer KEY`"
        return Problem(401, detail, headers={"WWW-Authenticate": _CHALLENGE})
    if not hmac.compare_digest(token.strip(" ").encode(), api_key.encode()):
        challenge = f'{_CHALLENGE}, error="invalid_token"'
        return Problem(401, f"this is not the key of {SETTING}", headers={"WWW-Authenticate": challenge})
    return None
