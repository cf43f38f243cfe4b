"""What the service says about itself: log lines and metrics. Flows write `telemetry.decided(reason)`."""

from avisa.telemetry.logs import configure, place, printable, told
from avisa.telemetry.metrics import (
    CONTENT_TYPE,
    Readings,
    dead_lettered,
    decided,
    event_to_accepted,
    exposition,
    queued,
    reminder_lateness,
    settled,
)

__all__ = [
    "CONTENT_TYPE",
    "Readings",
    "configure",
    "dead_lettered",
    "decided",
    "event_to_accepted",
    "exposition",
    "place",
    "printable",
    "queued",
    "reminder_lateness",
    "settled",
    "told",
]
