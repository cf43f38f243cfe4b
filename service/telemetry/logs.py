"""Log lines: one for each event, with its reason.

Two rules hold for every line. No address, name, token or secret is in it (promise 15): whatever looks like an
address is replaced, and of an exception only its type and place are logged, because its text may quote what it was
called with. And nobody waits for a line to be written: a stuck terminal or a dead log collector costs log lines,
which are counted, but no mails.
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
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import datetime
from typing import Any, Literal

import orjson

from avisa.core.characters import printable
from avisa.core.timestamps import rfc3339
from avisa.telemetry.plain_structlog import structlog

MAX_LINE = 8192  # bytes of a log line
_NUMBERS = (bool, int, float)  # a union would be made anew for each value
MAX_VALUE = 1024  # characters of one value in it
MAX_UNWRITTEN = 4 * 1024 * 1024  # bytes waiting to be written

Fields = MutableMapping[str, Any]

_ADDRESS = re.compile(r"[^\s@<>\"',;:=(]{1,64}@[^\s@<>\"',;)]{1,255}")

_NEEDS_QUOTES = re.compile(r"[\s=\"']|^$")

# Below these levels the libraries may log what they work on: addresses, statements, records.
_LEAST_LEVELS = {
    "aiokafka": logging.CRITICAL,
    "aiosmtplib": logging.ERROR,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "faststream": logging.WARNING,
    "mail.debug": logging.CRITICAL,
    "mail.error": logging.CRITICAL,
    "mail.log": logging.CRITICAL,  # aiosmtpd
    "matplotlib": logging.WARNING,
    "sqlalchemy": logging.ERROR,
    "uvicorn": logging.WARNING,
    "watchfiles": logging.WARNING,
}


class LineWriter:
    """Writes lines to a file descriptor from a thread of its own, so that `write` never blocks.

    Making the descriptor non-blocking instead would change it for every process that shares it, such as the
    shell that started us.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines: deque[bytes] = deque()
        self._unwritten = 0
        self._lock = threading.Lock()
        self._more = threading.Event()
        self._empty = threading.Event()
        self._empty.set()
        self.dropped = 0
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def write(self, line: bytes) -> None:
        with self._lock:
            if self._unwritten + len(line) > MAX_UNWRITTEN:
                self.dropped += 1
                return
            self._lines.append(line)
            self._unwritten += len(line)
            self._empty.clear()
        self._more.set()

    def flush(self, seconds: float = 1.0) -> bool:
        """Wait until all lines are written, at most `seconds`. Returns False if some are not written yet."""
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
                self._unwritten -= sum(map(len, lines))
                self.dropped += 0 if written else len(lines)
                if not self._lines:
                    self._empty.set()

    def _put(self, chunk: bytes) -> bool:
        view = memoryview(chunk)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:  # whoever read the log is gone; the service goes on
            return False
        return True


class _Lines:
    """What structlog takes for a logger: the processors have made a line, and each level passes it to `write`."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.msg = self.debug = self.info = self.warning = self.error = self.critical = write


class _LibraryLogs(logging.Handler):
    """Sends what libraries log through the standard library the same way as our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        error = {"exc_info": record.exc_info} if record.exc_info else {}
        name = logging.getLevelName(record.levelno).lower()
        getattr(log, name, log.warning)(record.getMessage(), logger=record.name, **error)


def _clean(value: object) -> object:
    if value is None or isinstance(value, _NUMBERS):
        return value
    text = printable(str(value)[:MAX_VALUE])
    return _ADDRESS.sub("<address>", text) if "@" in text else text


def _quoted(value: object) -> object:
    """A value that could pass for two fields in quotes, as structlog has it too."""
    return repr(value) if isinstance(value, str) and _NEEDS_QUOTES.search(value) else value


def _clean_values(_logger: Any, _method: str, event: Fields) -> Fields:
    return {key: _clean(value) for key, value in event.items()}


def _without_exception_text(_logger: Any, method: str, event: Fields) -> Fields:
    """Log an exception by its type and place only: its text may quote what it was called with."""
    given = event.pop("exc_info", None)  # an exception, the tuple of `sys.exc_info()`, or True for the current one
    if given is None or given is False:
        return event
    if isinstance(given, tuple):
        given = given[1]
    error = given if isinstance(given, BaseException) else sys.exc_info()[1]
    if error is not None:
        event.update(error=type(error).__qualname__, where=place(error))
        if isinstance(error, OSError) and error.errno is not None:
            event["errno"] = os.strerror(error.errno)
    return event


def place(error: BaseException) -> str:
    """Return where `error` was raised: its four innermost frames as `file:line function`, the outermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " > ".join(f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in frames)


def _as_json(_logger: Any, _method: str, event: Fields) -> bytes:
    first = {key: event.pop(key) for key in ("timestamp", "level", "event")}
    line = orjson.dumps({**first, **event})
    if len(line) >= MAX_LINE:
        line = orjson.dumps(first | {"cut": len(line)})
    return line + b"\n"


class _AsText:
    """Renders a line for people at a terminal."""

    def __init__(self, colors: bool) -> None:
        self._render = structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=24, sort_keys=False)

    def __call__(self, logger: Any, method: str, event: Fields) -> bytes:
        line = self._render(logger, method, event).encode("utf-8", "replace")
        return line[: MAX_LINE - 1].replace(b"\n", b" ") + b"\n"


_writers: dict[int, LineWriter] = {}
_writer: LineWriter | None = None  # in use
_entry_writer: LineWriter | None = None  # of `log_entries`; None: the level is above info
_entries_as_json = False


def log_entries(event: str, entries: Iterable[Mapping[str, object]], *, at: datetime) -> None:
    """Log many lines of one event at level info, each with the fields of one entry that are not None.

    `at` is the real moment of all of them. structlog takes 15 µs for a line, a tenth of what a Kafka event costs
    in all; this takes a fifth of that.
    """
    if _entry_writer is None:
        return
    cleaned = ({key: _clean(value) for key, value in entry.items() if value is not None} for entry in entries)
    if _entries_as_json:
        head = {"timestamp": rfc3339(at), "level": "info", "event": event}
        lines = [orjson.dumps(head | fields, option=orjson.OPT_APPEND_NEWLINE) for fields in cleaned]
    else:
        start = f"{at.astimezone():%H:%M:%S} [info     ] {event:<24} "
        texts = (" ".join([f"{key}={_quoted(value)}" for key, value in fields.items()]) for fields in cleaned)
        lines = [f"{start}{text}\n".encode("utf-8", "replace") for text in texts]
    _entry_writer.write(b"".join(lines))


def dropped_lines() -> int:
    """Return how many log lines were lost because they could not be written."""
    return sum(writer.dropped for writer in _writers.values())


def configure(format: Literal["console", "json"] = "console", level: str = "info", *, fd: int = 1) -> None:
    """Set up logging for the whole process: one line for each event, to the file descriptor `fd`."""
    writer = _writers.get(fd)
    if writer is None:
        writer = _writers[fd] = LineWriter(fd)
        atexit.register(writer.flush)
    least = logging.getLevelNamesMapping()[level.upper()]
    global _entry_writer, _entries_as_json, _writer
    _writer, _entries_as_json = writer, format == "json"
    _entry_writer = None if least > logging.INFO else writer
    _set_up(writer.write, format, least, colors=os.isatty(fd))


def forward(write: Callable[[bytes], object], format: Literal["console", "json"], level: str) -> None:
    """Set up logging in a process whose lines another one writes: each is passed to `write`."""
    _set_up(write, format, logging.getLevelNamesMapping()[level.upper()], colors=os.isatty(1))


def write_lines(lines: bytes) -> None:
    """Write lines that another process has forwarded."""
    if _writer is not None:
        _writer.write(lines)


def _set_up(
    write: Callable[[bytes], object], format: Literal["console", "json"], least: int, *, colors: bool
) -> None:
    as_json = format == "json"
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
            _without_exception_text,
            _clean_values,
            _as_json if as_json else _AsText(colors),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Lines(write),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_LibraryLogs()]
    root.setLevel(max(least, logging.INFO))
    for name, floor in _LEAST_LEVELS.items():
        logging.getLogger(name).setLevel(max(least, floor))
