"""What the flows need from the world outside, as protocols. The edges satisfy them; the flows know nothing else."""

from avisa.ports.catalog import Catalog, CatalogCache, CatalogStore, InForce, VersionStore
from avisa.ports.clock import Clock, Lag
from avisa.ports.drafts import Attempt, Claimed, Draft, Gathered, RenderInput
from avisa.ports.mail import CannotRender, Channel, Mail, NoAddress, RenderedMessage
from avisa.ports.orders import Change, Committed, DurabilityLost, Entry, OrderBook, Tally
from avisa.ports.outbox import Begun, Outbox, Pause, Sender, Settlement
from avisa.ports.publishing import NewRecord, Obstacle, Unwritten, WriteRecords, Written
from avisa.ports.queries import (
    Asked,
    Counts,
    DeadLetter,
    Gauges,
    History,
    Operations,
    OutboxPlace,
    OutboxRow,
    Promised,
    Queries,
    RecentOrders,
    Sent,
)
from avisa.ports.records import Record, Skipped, Taken, Unreadable
from avisa.ports.schemas import FindSchemas, KnownSchemas, NoSchema, Schemas, WriterSchema, no_registry

__all__ = [
    "Asked",
    "Attempt",
    "Begun",
    "CannotRender",
    "Catalog",
    "CatalogCache",
    "CatalogStore",
    "Change",
    "Channel",
    "Claimed",
    "Clock",
    "Committed",
    "Counts",
    "DeadLetter",
    "Draft",
    "DurabilityLost",
    "Entry",
    "FindSchemas",
    "Gathered",
    "Gauges",
    "History",
    "InForce",
    "KnownSchemas",
    "Lag",
    "Mail",
    "NewRecord",
    "NoAddress",
    "NoSchema",
    "Obstacle",
    "Operations",
    "OrderBook",
    "Outbox",
    "OutboxPlace",
    "OutboxRow",
    "Pause",
    "Promised",
    "Queries",
    "RecentOrders",
    "Record",
    "RenderInput",
    "RenderedMessage",
    "Schemas",
    "Sender",
    "Sent",
    "Settlement",
    "Skipped",
    "Taken",
    "Tally",
    "Unreadable",
    "Unwritten",
    "VersionStore",
    "WriteRecords",
    "WriterSchema",
    "Written",
    "no_registry",
]
