"""The schemas that reading a record takes, asked of the registry that the settings name."""

from __future__ import annotations

from avisa import events
from avisa.app.edges import registry_of
from avisa.cli.exits import Exit, Failure, misconfigured
from avisa.core.plan import Events
from avisa.ports import KnownSchemas, Record
from avisa.registry import Registry
from avisa.settings import Settings


class SchemaSource:
    """Asks for schemas, each once."""

    def __init__(self, settings: Settings) -> None:
        endpoint = registry_of(settings)
        self._registry = None if endpoint is None else Registry(endpoint)

    async def of(self, record: Record, rules: Events) -> KnownSchemas:
        """Return what `events.read` wants to know for a record. Raises Failure if nobody answers."""
        wanted = events.schema_id(record.position.topic, record.value, rules)
        if wanted is None:
            return {}
        if self._registry is None:
            topic = record.position.topic
            raise misconfigured([f"AVISA_REGISTRY__URL: is not set, and the feed of {topic} needs a schema registry"])
        schemas = await self._registry.find([wanted])
        if schemas.missing:
            raise Failure(Exit.FINDINGS, "unreachable", f"the schema registry: {self._registry.trouble}")
        return schemas.found
