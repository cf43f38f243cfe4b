"""The schema registry: by which schema somebody else wrote a record (Confluent's API, which others speak too)."""

from avisa.registry.endpoint import Endpoint
from avisa.registry.registry import Registry

__all__ = ["Endpoint", "Registry"]
