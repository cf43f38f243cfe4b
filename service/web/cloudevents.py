"""An HTTP request as the records that it stands for, by the HTTP and the Kafka binding of CloudEvents 1.0.

*Structured* and *batch* are told by the content type, *binary* by `ce-` headers. JSON of any other kind is one plain
event, or several if it is an array. A record has the bytes of its event as they came, since what a parser makes of
them may be something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from avisa.ports import NewRecord

EVENTS_MOST = 1_000  # in a batch
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json")
_ATTRIBUTE = re.compile(r"ce-([a-z0-9]+)")  # CloudEvents 1.0 section 3.1, as a header
_BLANK = re.compile(r"[ \t\r\n]*")
_ESCAPED = re.compile(rb"\\(.)")
_SCANNER = json.JSONDecoder(parse_int=str, parse_float=str)  # of a number only the end matters


class RequestError(Exception):
    """A request that holds no events for us; `status` is the answer's."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def check(headers: Headers) -> None:
    """Raises RequestError if the headers already say that the body cannot be read."""
    media_type = _media_type(headers)
    if media_type.startswith("application/cloudevents"):
        known = media_type in (STRUCTURED, BATCH)
    else:
        known = bool(_JSON.fullmatch(media_type)) or (not media_type and _is_binary(headers))
    if not known:
        raise RequestError(415, f"the content type must be application/json, {STRUCTURED} or {BATCH}")
    if headers.get("content-encoding", "identity") != "identity":
        raise RequestError(415, "the body must come without a content encoding")


def read(headers: Headers, body: bytes) -> list[NewRecord]:
    """The records of a request whose headers `check` has let pass. Raises RequestError."""
    media_type = _media_type(headers)
    if media_type == STRUCTURED:
        return [_structured(body)]
    if media_type == BATCH:
        return [_structured(value) for value in _elements(body)]
    if _is_binary(headers):
        return [NewRecord(value=body, headers=tuple(_attributes(headers, media_type)))]
    if body.lstrip(b" \t\r\n")[:1] == b"[":
        return [NewRecord(value=value) for value in _elements(body)]
    return [NewRecord(value=body)]


def _structured(value: bytes) -> NewRecord:
    return NewRecord(value=value, headers=(("content-type", f"{STRUCTURED}; charset=utf-8".encode()),))


def _is_binary(headers: Headers) -> bool:
    return any(f"ce-{name}" in headers for name in ("specversion", "type", "source", "id"))


def _media_type(headers: Headers) -> str:
    """The media type, in lower case; an empty text if there is none. Raises RequestError if it is not in UTF-8."""
    written = headers.getlist("content-type")
    if len(written) > 1:
        raise RequestError(400, "Content-Type: is there twice")
    media_type, *parameters = (part.strip() for part in (written[0] if written else "").lower().split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8", "us-ascii"):
            raise RequestError(415, "Content-Type: JSON is read in UTF-8 alone")
    return media_type


def _attributes(headers: Headers, media_type: str) -> Iterator[tuple[str, bytes]]:
    """The headers of the record. Raises RequestError if one is there twice."""
    yield "content-type", (media_type or "application/json").encode()
    seen = set()
    for name, value in headers.raw:
        found = _ATTRIBUTE.fullmatch(name.decode("latin-1"))
        if found is None:
            continue
        if found[1] in seen:
            raise RequestError(400, f"ce-{found[1]}: is there twice")
        seen.add(found[1])
        yield f"ce_{found[1]}", _decoded(value)


def _decoded(value: bytes) -> bytes:
    """The text of an attribute's header, in UTF-8 (HTTP binding section 3.1.3.2)."""
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        value = _ESCAPED.sub(rb"\1", value[1:-1])
    return unquote_to_bytes(value)


def _elements(body: bytes) -> Iterator[bytes]:
    """The elements of a JSON array, each in the bytes in which it was written. Raises RequestError."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise RequestError(400, "the body is not UTF-8") from None
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise RequestError(400, "the body must be a JSON array")
    at = _skip(text, at + 1)
    number = 0
    while number or text[at : at + 1] != "]":
        if number == EVENTS_MOST:
            raise RequestError(413, f"a batch may have {EVENTS_MOST} events")
        try:
            _, end = _SCANNER.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise RequestError(400, f"event {number} of the batch is not JSON, or is nested too deep") from None
        yield text[at:end].encode()
        number += 1
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            break
        if text[at : at + 1] != ",":
            raise RequestError(400, f"the array does not go on after event {number - 1}")
        at = _skip(text, at + 1)
    if _skip(text, at + 1) < len(text):
        raise RequestError(400, "something follows the array")


def _skip(text: str, at: int) -> int:
    """The place of the next character that is no blank of JSON."""
    blank = _BLANK.match(text, at)
    assert blank is not None  # none is a blank too
    return blank.end()
