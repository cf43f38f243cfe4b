"""What the service reports about itself: log lines and metrics, as in `telemetry.decided(reason)`."""

from avisa.telemetry.logs import configure, forward, log_entries, place, write_lines
from avisa.telemetry.metrics import (
    CONTENT_TYPE,
    Readings,
    dead_lettered,
    decided,
    event_to_accepted,
    exposition,
    field_ignored,
    held,
    odd_time,
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
    "field_ignored",
    "forward",
    "held",
    "log_entries",
    "odd_time",
    "place",
    "queued",
    "reminder_lateness",
    "settled",
    "write_lines",
]
