"""Log lines: one an event, with its reason.

Two promises bind them. No address, name, token or secret leaves by this door (promise 15): values are scrubbed
of what looks like an address, and exceptions are told by type and place, never by their text, which may quote
what they were handed. And nobody waits for a line to be written: a stuck terminal or a dead log collector costs
lines, which are counted, not mails.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import datetime
from typing import Any, Literal

import orjson
import structlog

LINE_MOST = 8192  # octets of a log line
VALUE_MOST = 1024  # characters of one value in it
WAITING_MOST = 4 * 1024 * 1024  # octets waiting to be written

Fields = MutableMapping[str, Any]

_ADDRESS = re.compile(r"[^\s@<>\"',;:=(]{1,64}@[^\s@<>\"',;)]{1,255}")

# Libraries that may write what they were handed (addresses, statements, records) below this level.
_QUIET = {
    "aiokafka": logging.CRITICAL,
    "aiosmtplib": logging.ERROR,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "faststream": logging.WARNING,
    "mail.debug": logging.CRITICAL,
    "mail.error": logging.CRITICAL,
    "mail.log": logging.CRITICAL,  # aiosmtpd
    "sqlalchemy": logging.ERROR,
    "uvicorn": logging.WARNING,
    "watchfiles": logging.WARNING,
}


class LineWriter:
    """Writes lines to a file descriptor from a thread of its own; `write` never waits.

    Making the descriptor non-blocking instead would change it for every process that shares it, such as the
    shell we were started from.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines: deque[bytes] = deque()
        self._waiting = 0
        self._lock = threading.Lock()
        self._more = threading.Event()
        self._empty = threading.Event()
        self._empty.set()
        self.dropped = 0
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def write(self, line: bytes) -> None:
        with self._lock:
            if self._waiting + len(line) > WAITING_MOST:
                self.dropped += 1
                return
            self._lines.append(line)
            self._waiting += len(line)
            self._empty.clear()
        self._more.set()

    def flush(self, seconds: float = 1.0) -> bool:
        """Wait until all is written, but not longer than `seconds`; answers whether it was."""
        return self._empty.wait(seconds)

    def _run(self) -> None:
        while True:
            self._more.wait()
            self._more.clear()
            with self._lock:
                lines = list(self._lines)
                self._lines.clear()
            written = self._put(b"".join(lines))
            with self._lock:
                self._waiting -= sum(map(len, lines))
                self.dropped += 0 if written else len(lines)
                if not self._lines:
                    self._empty.set()

    def _put(self, octets: bytes) -> bool:
        view = memoryview(octets)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:  # the reader is gone; the service is not
            return False
        return True


class _Lines:
    """The last step of structlog: the processors leave one line, this hands it to the writer."""

    def __init__(self, writer: LineWriter) -> None:
        self.msg = self.debug = self.info = self.warning = self.error = self.critical = writer.write


class _Foreign(logging.Handler):
    """What libraries log through the standard library takes the same way out."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        told = {"exc_info": record.exc_info} if record.exc_info else {}
        name = logging.getLevelName(record.levelno).lower()
        getattr(log, name, log.warning)(record.getMessage(), logger=record.name, **told)


def printable(text: str) -> str:
    """`text` on one line, with what would steer a terminal or reorder a line written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _clean(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = printable(str(value)[:VALUE_MOST])
    return _ADDRESS.sub("<address>", text) if "@" in text else text


def _scrub(_logger: Any, _method: str, event: Fields) -> Fields:
    return {key: _clean(value) for key, value in event.items()}


def _fault(_logger: Any, method: str, event: Fields) -> Fields:
    """Tell an exception by type and place. Its text may quote what it was handed, so it stays inside."""
    told = event.pop("exc_info", None)
    if told is None or told is False:
        return event
    if isinstance(told, tuple):
        told = told[1]
    error = told if isinstance(told, BaseException) else sys.exc_info()[1]
    if error is not None:
        event.update(error=type(error).__qualname__, where=place(error))
        if isinstance(error, OSError) and error.errno is not None:
            event["errno"] = os.strerror(error.errno)
    return event


def place(error: BaseException) -> str:
    """Where `error` came from: its innermost frames, `file:line function`, outermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " > ".join(f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in frames)


def _as_json(_logger: Any, _method: str, event: Fields) -> bytes:
    first = {key: event.pop(key) for key in ("timestamp", "level", "event")}
    line = orjson.dumps({**first, **event})
    if len(line) >= LINE_MOST:
        line = orjson.dumps(first | {"cut": len(line)})
    return line + b"\n"


class _AsText:
    """For people at a terminal."""

    def __init__(self, colors: bool) -> None:
        self._render = structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=24, sort_keys=False)

    def __call__(self, logger: Any, method: str, event: Fields) -> bytes:
        line = self._render(logger, method, event).encode("utf-8", "replace")
        return line[: LINE_MOST - 1].replace(b"\n", b" ") + b"\n"


_writers: dict[int, LineWriter] = {}
_bulk: LineWriter | None = None  # where lines told in bulk go; None: nowhere
_bulk_json = False


def told(event: str, rows: Iterable[Mapping[str, object]], *, at: datetime) -> None:
    """Many lines of one kind, level info, of what came about at the real moment `at`; what is None is left out.

    structlog takes 15 µs for a line, a tenth of all that an event costs; this takes a fifth of that.
    """
    if _bulk is None:
        return
    shown = ({key: _clean(value) for key, value in row.items() if value is not None} for row in rows)
    if _bulk_json:
        head = {"timestamp": at.isoformat().replace("+00:00", "Z"), "level": "info", "event": event}
        lines = [orjson.dumps(head | row, option=orjson.OPT_APPEND_NEWLINE) for row in shown]
    else:
        start = f"{at.astimezone():%H:%M:%S} [info     ] {event:<24} "
        texts = (" ".join([f"{key}={value}" for key, value in row.items()]) for row in shown)
        lines = [f"{start}{text}\n".encode("utf-8", "replace") for text in texts]
    _bulk.write(b"".join(lines))


def dropped_lines() -> int:
    """Log lines lost because nobody took them."""
    return sum(writer.dropped for writer in _writers.values())


def configure(format: Literal["console", "json"] = "console", level: str = "info", *, fd: int = 1) -> None:
    """Set up logging for the whole process, once: one line an event, to the file descriptor `fd`."""
    writer = _writers.get(fd)
    if writer is None:
        writer = _writers[fd] = LineWriter(fd)
        atexit.register(writer.flush)
    as_json = format == "json"
    least = logging.getLevelNamesMapping()[level.upper()]
    global _bulk, _bulk_json
    _bulk, _bulk_json = (None if least > logging.INFO else writer), as_json
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
            _fault,
            _scrub,
            _as_json if as_json else _AsText(os.isatty(fd)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Lines(writer),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Foreign()]
    root.setLevel(max(least, logging.INFO))
    for name, floor in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, floor))
