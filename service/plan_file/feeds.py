"""The feeds of the plan, compiled: every expression parsed, every conversion chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from avisa.core.topic_feed import TopicFeed
from avisa.diagnostics.yaml_reader import KEY, Path
from avisa.feeds import expression
from avisa.feeds.conversions import CONVERSIONS, local
from avisa.feeds.expression import Fault
from avisa.feeds.feed import Condition, Feed
from avisa.feeds.field import DECIDE, KINDS, Field, as_kind, spelling
from avisa.plan_file import schema
from avisa.plan_file.mistake import Mistake

_REQUIRED = ("order_id", "status")


def compiled(plan: schema.Plan, mistakes: list[Mistake]) -> Mapping[str, TopicFeed]:
    """Return each feed by its topic. What is wrong is added to `mistakes`; the feed then lacks it."""
    ranked = plan.events.rank_by == "sequence"
    return {
        topic: _Compiler(("feeds", topic), mistakes, ranked).feed(topic, written)
        for topic, written in plan.feeds.items()
    }


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Compiles the feed at `path`. `ranked` says whether the plan ranks events by their sequence."""

    path: Path
    mistakes: list[Mistake]
    ranked: bool

    def feed(self, topic: str, written: schema.TopicFeed) -> Feed:
        fields = {name: field for name, each in written.fields.items() if (field := self._field(name, each, written))}
        if written.fields or written.envelope == "debezium":
            self._must_have(written.fields)
        return Feed(
            topic=topic,
            envelope=written.envelope,
            fields=tuple(_with_currency(each, fields) for each in _in_order(fields.values())),
            only=tuple(self._conditions(written)),
            only_if_changed=tuple(self._watched(written)),
            nulls=written.nulls,
            notify=written.notify,
        )

    def _must_have(self, fields: Iterable[str]) -> None:
        missing = [name for name in _REQUIRED if name not in fields]
        if missing:
            named = ".".join(map(str, self.path))
            self._add("missing_key", ("fields",), f"{named}.fields needs {' and '.join(missing)}")

    def _field(self, name: str, written: schema.FeedField, feed: schema.TopicFeed) -> Field | None:
        path = ("fields", name)
        if written.source is None and written.default is None:
            self._add("no_value", path, f"{name}: there is no value; it must be an expression, or have a default")
            return None
        if (written.convert == "local") is not (written.zone is not None):
            problem = "as: local needs a zone" if written.zone is None else "a zone belongs to as: local"
            self._add("missing_key" if written.zone is None else "not_allowed", path, f"{name}: {problem}")
        found = self._parsed(written.source, (*path, "from")) if written.source is not None else None
        kind = KINDS.get(name, "any")
        zone, convert = written.zone, written.convert
        return Field(
            name=name,
            expression=found,
            convert=local(zone) if zone else CONVERSIONS.get(convert or ""),
            minor=convert == "minor",
            values={spelling(key): value for key, value in written.values.items()} | written.values,
            default=as_kind(kind, written.default),
            null_counts=feed.nulls == "clear",
            kind=kind,
            decides=name in DECIDE or (name == "sequence" and self.ranked),
        )

    def _conditions(self, written: schema.TopicFeed) -> Iterable[Condition]:
        for text, values in written.only.items():
            if (found := self._parsed(text, ("only", text, KEY))) is not None:
                yield Condition(expression=found, values=frozenset(values))

    def _watched(self, written: schema.TopicFeed) -> Iterable[expression.Path]:
        if written.only_if_changed and written.envelope != "debezium" and not self._mistaken(("envelope",)):
            message = "only_if_changed needs envelope: debezium, which says what was there before"
            self._add("not_allowed", ("only_if_changed",), message)
            return
        for number, text in enumerate(written.only_if_changed):
            found = self._parsed(text, ("only_if_changed", number))
            if isinstance(found, expression.Path) and found.steps[:1] == ("after",) and len(found.steps) > 1:
                yield found
            elif found is not None:
                message = f"only_if_changed: `{text}` is no path to a column"
                self._add("not_allowed", ("only_if_changed", number), message, "after.status")

    def _parsed(self, text: str, path: Path) -> expression.Path | expression.Expression | None:
        found = expression.parse(text)
        if not isinstance(found, Fault):
            return found
        where = ".".join(map(str, (*self.path, *path[:2])))
        message = f"{where}: {found.message}, at character {found.at + 1}"
        self.mistakes.append(Mistake("bad_expression", (*self.path, *path), message, found.suggestion, found.at))
        return None

    def _mistaken(self, path: Path) -> bool:
        """True if something at or below `path` is wrong already, of which anything else may be a consequence."""
        whole = (*self.path, *path)
        return any(mistake.path[: len(whole)] == whole for mistake in self.mistakes)

    def _add(self, code: str, path: Path, message: str, suggestion: str | None = None) -> None:
        if not self._mistaken(path):
            self.mistakes.append(Mistake(code, (*self.path, *path), message, suggestion))


def _in_order(fields: Iterable[Field]) -> list[Field]:
    """What decides first, lest others use up the steps there are; a whole map before its keys, which overlay it."""
    return sorted(fields, key=lambda field: (not field.decides, "." in field.name))


def _with_currency(field: Field, fields: Mapping[str, Field]) -> Field:
    """An amount in the smallest unit, with the field that says of which currency."""
    return replace(field, currency=fields.get("details.currency")) if field.minor else field
