"""What the flows need of the world, as Protocols. The edges satisfy them; the flows know nothing else."""

from service.ports.clocks import Clock, Sight
from service.ports.drafts import Attempt, Draft
from service.ports.outbox import Claimed, Outbox, Pause, Sender, Settlement
from service.ports.reads import Commands, Counts, DeadLetter, Gauges, Heard, History, OutboxRow, Reads, Sent
from service.ports.records import Record, Skipped, Taken, Unreadable
from service.ports.register import Change, Committed, Entry, MustEnd, OrderBook, Tally
from service.ports.words import (
    CannotRender,
    Catalog,
    CatalogStore,
    Channel,
    InForce,
    Mail,
    NoAddress,
    Problem,
    Shelf,
    VersionStore,
    Words,
)

__all__ = [
    "Attempt",
    "CannotRender",
    "Catalog",
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
    "Entry",
    "Gauges",
    "Heard",
    "History",
    "InForce",
    "Mail",
    "MustEnd",
    "NoAddress",
    "OrderBook",
    "Outbox",
    "OutboxRow",
    "Pause",
    "Problem",
    "Reads",
    "Record",
    "Sender",
    "Sent",
    "Settlement",
    "Shelf",
    "Sight",
    "Skipped",
    "Taken",
    "Tally",
    "Unreadable",
    "VersionStore",
    "Words",
]
