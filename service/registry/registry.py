"""The schemas of a registry by their ids. Each is asked for once, and kept: a registry never changes a schema.

While the registry is away, refuses us or answers what is no answer, nothing is known of an id, and it is asked again
later, at longer and longer intervals. That it has no such id is an answer, and holds for a while.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import structlog

from avisa.ports import NoSchema, Schemas, WriterSchema
from avisa.registry.endpoint import LARGEST, Endpoint, Response, Silence

MOST_KEPT = 1_000  # schemas; and as many ids of which there is none. The oldest are forgotten
MOST_CHARACTERS = 4_000_000  # of all schemas that are kept, and of those that one question asks for
MOST_REFERENCES = 50  # of a schema, and of those that it refers to, in all
DEEPEST = 20  # of references to references
ASK_AGAIN_AFTER = 60.0  # seconds, for an id that the registry did not have
LONGEST_BACK_OFF = 30.0  # seconds
ASK_FOR = 5.0  # seconds, and until the answers to what was asked by then; what is left is asked the next time
LONGEST_ASK = 10.0  # seconds, for a schema with all that it refers to
_AT_ONCE = 8  # questions

_log = structlog.get_logger("avisa.registry")


class Registry:
    """A registry, and what is known of its schemas."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._kept: dict[int, WriterSchema] = {}
        self._absent: dict[int, tuple[NoSchema, float]] = {}  # with the moment until which it holds
        self._failures = 0  # in a row
        self._not_before = 0.0  # by the loop's clock, as every moment here
        self.trouble: str | None = None  # why the last question was not answered
        self.detail = "not asked yet"  # one line for /readyz

    async def find(self, ids: Collection[int]) -> Schemas:
        """Return what is known of these ids, after asking for those of which nothing is, the first first."""
        found = self._known(ids)
        unknown = [id_ for id_ in dict.fromkeys(ids) if id_ not in found]
        until, room = _now() + ASK_FOR, MOST_CHARACTERS
        while unknown and room > 0 and self._not_before <= _now() < until:
            asked, unknown = unknown[:_AT_ONCE], unknown[_AT_ONCE:]
            answers = await asyncio.gather(*map(self._ask, asked))
            noted = self._note(dict(zip(asked, answers, strict=True)))
            room -= sum(_characters(it) for it in noted.values() if isinstance(it, WriterSchema))
            found |= noted
        missing = frozenset(set(ids) - found.keys())
        return Schemas(found=found, missing=missing, again_in=max(0.0, self._not_before - _now()) if missing else 0.0)

    def _known(self, ids: Iterable[int]) -> dict[int, WriterSchema | NoSchema]:
        found: dict[int, WriterSchema | NoSchema] = {}
        for id_ in ids:
            if (schema := self._kept.get(id_)) is not None:
                found[id_] = schema
            elif (absent := self._absent.get(id_)) is not None and _now() < absent[1]:
                found[id_] = absent[0]
        return found

    def _note(self, answers: Mapping[int, WriterSchema | NoSchema | Silence]) -> dict[int, WriterSchema | NoSchema]:
        """Keep what was answered, and return it."""
        found: dict[int, WriterSchema | NoSchema] = {}
        silence = None
        for id_, answer in answers.items():
            if isinstance(answer, Silence):
                silence = answer
                continue
            found[id_] = answer
            self._absent.pop(id_, None)
            if isinstance(answer, NoSchema):
                self._absent[id_] = (answer, _now() + ASK_AGAIN_AFTER)
            else:
                self._kept[id_] = answer
        self._forget_oldest()
        self._report(silence)
        return found

    def _forget_oldest(self) -> None:
        while len(self._absent) > MOST_KEPT:
            del self._absent[next(iter(self._absent))]
        characters = sum(map(_characters, self._kept.values()))
        while len(self._kept) > MOST_KEPT or characters > MOST_CHARACTERS:
            characters -= _characters(self._kept.pop(next(iter(self._kept))))

    def _report(self, silence: Silence | None) -> None:
        """Back off if there was no answer. Log what has changed."""
        if silence is None:
            if self.trouble is not None:
                _log.info("registry.answers")
            self._failures, self._not_before, self.trouble, self.detail = 0, 0.0, None, "answers"
            return
        self._failures += 1
        self._not_before = _now() + min(LONGEST_BACK_OFF, 0.25 * 2 ** min(self._failures, 10))
        if silence.detail != self.trouble:
            _log.warning("registry.unusable", detail=silence.detail)
        self.trouble = silence.detail
        self.detail = f"{silence.detail}; its records wait"

    # ---------------------------------------------------------------- questions

    async def _ask(self, id_: int) -> WriterSchema | NoSchema | Silence:
        try:
            async with asyncio.timeout(LONGEST_ASK):
                return await self._schema(id_)
        except TimeoutError:
            return Silence(f"no whole schema within {LONGEST_ASK:g} s")

    async def _schema(self, id_: int) -> WriterSchema | NoSchema | Silence:
        answer = await self._document(f"/schemas/ids/{id_}")
        if not isinstance(answer, dict):
            return answer
        text = answer.get("schema")
        kind = answer.get("schemaType", "AVRO")  # which is not said of Avro
        if not isinstance(text, str) or not isinstance(kind, str):
            return _NO_SCHEMA_IN_IT
        if kind != "AVRO":
            return WriterSchema(kind)
        references = _References(characters=len(text))
        if trouble := await self._follow(answer.get("references"), references, 1):
            return trouble
        return WriterSchema(kind, text, tuple(references.texts.values()))

    async def _follow(self, named: Any, found: _References, depth: int) -> NoSchema | Silence | None:
        """Add the schemas that are `named` to those found. Returns what kept it from that."""
        for reference in named if isinstance(named, list) else ():
            place = _place(reference)
            if place is None:
                return NoSchema("its references are none that can be followed")
            subject, version = place
            if place in found.texts:
                continue
            if len(found.texts) >= MOST_REFERENCES or depth > DEEPEST:
                return NoSchema(f"it refers to more than {MOST_REFERENCES} others, or more than {DEEPEST} deep")
            answer = await self._document(f"/subjects/{quote(subject, safe='')}/versions/{version}")
            if isinstance(answer, NoSchema):
                return NoSchema("a schema that it refers to is not there")
            if isinstance(answer, Silence):
                return answer
            text = answer.get("schema")
            if not isinstance(text, str):
                return _NO_SCHEMA_IN_IT
            found.characters += len(text)
            if found.characters > LARGEST:
                return _TOO_LARGE
            if trouble := await self._follow(answer.get("references"), found, depth + 1):
                return trouble
            found.texts[place] = text
        return None

    async def _document(self, path: str) -> dict[str, Any] | NoSchema | Silence:
        """What the registry has at `path`."""
        answer = await self._endpoint.get(path)
        if isinstance(answer, Silence):
            return answer
        if answer.body is None:
            return _TOO_LARGE if answer.status == 200 else _odd(answer)
        if answer.status not in (200, 404):
            return _odd(answer)
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            return Silence(f"what answers is no schema registry (HTTP {answer.status})")
        if answer.status == 200:
            return document
        # 40403 is of a schema, 40401 of a subject, 40402 of a version; a plain 404 of an address that is wrong.
        code = document.get("error_code")
        if isinstance(code, int) and 40_400 < code < 40_500:
            return NoSchema("the registry has none of this id")
        return Silence("it knows no such address (HTTP 404)")


@dataclass(slots=True)
class _References:
    """What a schema refers to, as far as it was asked for."""

    characters: int  # of the schema, and of all that was asked for
    texts: dict[tuple[str, int], str] = field(default_factory=dict)  # each after those that it names itself


_TOO_LARGE = NoSchema(f"it has more than {LARGEST // 1024} KiB")
_NO_SCHEMA_IN_IT = Silence("there is no schema in its answer")


def _odd(answer: Response) -> Silence:
    if answer.status in (401, 403):
        return Silence(f"it refuses our user name or password (HTTP {answer.status})")
    if 300 <= answer.status < 400:
        return Silence(f"it wants to send us elsewhere (HTTP {answer.status})")
    return Silence(f"it answers HTTP {answer.status}")


def _place(reference: Any) -> tuple[str, int] | None:
    """The subject and the version that a reference names."""
    match reference:
        case {"subject": str(subject), "version": int(version)}:
            return subject, version
        case _:
            return None


def _characters(schema: WriterSchema) -> int:
    return len(schema.text) + sum(map(len, schema.references))


def _now() -> float:
    return asyncio.get_running_loop().time()
