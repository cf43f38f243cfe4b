"""`POST /events`: events of systems that have no Kafka client, into a topic.

It says 202 only once Kafka has acknowledged every event of the request. An event that could not be read would only
become a dead letter, so it is refused here, where somebody can mend it, and with it the whole request.

A topic that has a feed holds what somebody else writes, and who posts it, a shop's webhook say, can mend nothing. So
there any JSON is written, and mapped when it is read: what no feed can map yet is a dead letter, which heals.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from avisa.core.model import OrderEvent, Reason
from avisa.core.topic_feed import TopicFeed
from avisa.ports import NewRecord, Obstacle, Taken, Unreadable, Unwritten, WriteRecords, Written
from avisa.web import api_key, cloudevents
from avisa.web.cloudevents import RequestError
from avisa.web.guard import read_body
from avisa.web.problem import Problem

PATH = "/events"
BODY_MOST = 2 * 1024 * 1024  # bytes; of one event no more than 1 MiB
BODY_SECONDS = 10.0  # for the whole body to arrive
AT_ONCE = 4  # requests whose bodies are in memory
PLACE_WITHIN = 5.0  # seconds that others wait for one of these places
KEY_MOST = 500  # characters of a key
SHOWN_MOST = 100  # events of which an answer says why they cannot be read
_BREATH = 50  # events that are read before others get their turn

# By what stands in the way of an event: the status, and after how many seconds it may be tried again. Of several the
# first counts.
_STATUS: dict[Obstacle, tuple[int, int | None]] = {
    Obstacle.IN_DOUBT: (503, 10),
    Obstacle.UNREACHABLE: (503, 10),
    Obstacle.NO_TOPIC: (503, 10),
    Obstacle.BUSY: (503, 1),
    Obstacle.FULL: (429, 1),
    Obstacle.TOO_LARGE: (413, None),
    Obstacle.REFUSED: (502, None),
}
_BODY = {400: "the body is not framed as its headers say", 408: "the body did not arrive in time"}
_BODY[413] = f"the body may have {BODY_MOST} bytes"
_BEYOND_MAPPING = frozenset({Reason.NOT_JSON, Reason.TOO_DEEP, Reason.TOO_LARGE})  # whatever a feed says
_PLACE = re.compile(r"(/[^\s:]*): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """What publishing needs from the other rooms."""

    topics: Sequence[str]  # that may be named; the first, if none is
    api_key: str | None = field(repr=False)  # None: nobody may publish
    read: Callable[[str, NewRecord], Taken]  # what the service will read from a record of a topic
    write: WriteRecords
    feed: Callable[[str], TopicFeed | None] = lambda _topic: None  # that the plan in force has for a topic


def routes(publishing: Publishing) -> list[Route]:
    places = asyncio.Semaphore(AT_ONCE)

    async def publish(request: Request) -> Response:
        refusal = api_key.refusal(request, publishing.api_key)
        if refusal is not None:
            return await _unread(request, refusal)
        try:
            async with asyncio.timeout(PLACE_WITHIN):
                await places.acquire()
        except TimeoutError:
            return await _unread(request, _outcome([_BUSY]))
        try:
            return await _publish(request, publishing)
        finally:
            places.release()

    return [Route(PATH, publish, methods=["POST"])]


_BUSY = Unwritten(obstacle=Obstacle.BUSY, detail="events of others are being read")


async def _publish(request: Request, publishing: Publishing) -> Response:
    try:
        topic, key = _destination(request.query_params, publishing)
        cloudevents.check(request.headers)
    except RequestError as error:
        return await _unread(request, Problem(error.status, error.detail))
    body = await read_body(request.scope, request.receive, most=BODY_MOST, seconds=BODY_SECONDS)
    if isinstance(body, int):
        return Problem(body, _BODY[body], headers={"Connection": "close"})
    try:
        records = cloudevents.read(request.headers, body)
    except RequestError as error:
        return Problem(error.status, error.detail)
    mapped = publishing.feed(topic) is not None
    keyed, errors = [], []
    for index, record in enumerate(records):
        taken = publishing.read(topic, record)
        if isinstance(taken, Unreadable) and (not mapped or taken.reason in _BEYOND_MAPPING):
            errors.append(_unreadable(index, taken))
        found = taken.order_id.encode() if isinstance(taken, OrderEvent) else None
        keyed.append(replace(record, key=key or found))
        if index % _BREATH == _BREATH - 1:
            await asyncio.sleep(0)
    if errors:
        detail = f"nothing was written: of {len(records)} event(s) {len(errors)} cannot be read"
        return Problem(422, detail, errors=errors[:SHOWN_MOST])
    return _outcome(await publishing.write(topic, keyed))


async def _unread(request: Request, answer: Response) -> Response:
    """Throw the body away, within the usual limits: a client that is cut off midway sees no answer."""
    await read_body(request.scope, request.receive)
    answer.headers["Connection"] = "close"
    return answer


def _destination(parameters: QueryParams, publishing: Publishing) -> tuple[str, bytes | None]:
    """The topic that the query names, and the key of its records. Raises RequestError."""
    for name in parameters:
        if name not in ("topic", "key"):
            raise RequestError(400, "of all query parameters only `topic` and `key` are known")
        if len(parameters.getlist(name)) > 1:
            raise RequestError(400, f"{name}: is there twice")
    topics = publishing.topics
    topic, key = parameters.get("topic", topics[0]), parameters.get("key")
    if topic not in topics:
        raise RequestError(400, f"topic: must be one of AVISA_KAFKA__TOPICS: {', '.join(topics)}")
    feed = publishing.feed(topic)
    if feed is not None and feed.by_registry:
        raise RequestError(400, "topic: its records need a schema registry, and only JSON can be written here")
    if key is None:
        return topic, None
    if feed is None:
        raise RequestError(400, "key: goes with a topic that has a feed; another's key is the order's id")
    if not key or len(key) > KEY_MOST:
        raise RequestError(400, f"key: must have 1 to {KEY_MOST} characters")
    return topic, key.encode()


def _unreadable(index: int, taken: Unreadable) -> dict[str, object]:
    """What is wrong with the event at `index` of the request, with the place in it as a JSON pointer (RFC 6901)."""
    place = _PLACE.fullmatch(taken.message)
    where = {} if place is None else {"pointer": f"#{place[1]}"}
    return {"index": index, "reason": taken.reason, **where, "detail": taken.message if place is None else place[2]}


def _outcome(outcomes: Sequence[Written | Unwritten]) -> Response:
    """202 if all were written; else a problem that says which were, if any may have been."""
    accepted, errors = [], []
    obstacles: set[Obstacle] = set()
    for index, one in enumerate(outcomes):
        if isinstance(one, Written):
            accepted.append({"index": index, "topic": one.topic, "partition": one.partition, "offset": one.offset})
        else:
            errors.append({"index": index, "reason": one.obstacle, "detail": one.detail})
            obstacles.add(one.obstacle)
    if not errors:
        for place in accepted:
            del place["index"]  # it is that of the list
        return JSONResponse({"accepted": accepted}, status_code=HTTPStatus.ACCEPTED)
    reason = next(obstacle for obstacle in _STATUS if obstacle in obstacles)
    status, again = _STATUS[reason]
    headers = {} if again is None else {"Retry-After": str(again)}
    if accepted or len(obstacles) > 1 or reason is Obstacle.IN_DOUBT:
        detail = f"of {len(outcomes)} event(s) {len(accepted)} are known to be written; see errors for the others"
        return Problem(status, detail, headers=headers, reason=reason, accepted=accepted, errors=errors)
    return Problem(status, f"nothing was written: {errors[0]['detail']}", headers=headers, reason=reason)
