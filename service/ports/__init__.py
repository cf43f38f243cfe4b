"""What the flows need of the world, as Protocols. The edges satisfy them; the flows know nothing else."""

from avisa.ports.clock import Clock, Sight
from avisa.ports.drafts import Attempt, Draft
from avisa.ports.mail import (
    CannotRender,
    Catalog,
    CatalogCache,
    CatalogStore,
    Channel,
    InForce,
    Mail,
    NoAddress,
    VersionStore,
    Words,
)
from avisa.ports.orders import Change, Committed, DurabilityLost, Entry, OrderBook, Tally
from avisa.ports.outbox import Claimed, Outbox, Pause, Sender, Settlement
from avisa.ports.queries import Commands, Counts, DeadLetter, Gauges, Heard, History, OutboxRow, Reads, Sent
from avisa.ports.records import Record, Skipped, Taken, Unreadable

__all__ = [
    "Attempt",
    "CannotRender",
    "Catalog",
    "CatalogCache",
    "CatalogStore",
    "Change",
    "Channel",
    "Claimed",
    "Clock",
    "Commands",
    "Committed",
    "Counts",
    "DeadLetter",
    "Draft",
    "DurabilityLost",
    "Entry",
    "Gauges",
    "Heard",
    "History",
    "InForce",
    "Mail",
    "NoAddress",
    "OrderBook",
    "Outbox",
    "OutboxRow",
    "Pause",
    "Reads",
    "Record",
    "Sender",
    "Sent",
    "Settlement",
    "Sight",
    "Skipped",
    "Taken",
    "Tally",
    "Unreadable",
    "VersionStore",
    "Words",
]
