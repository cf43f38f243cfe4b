"""A version before this one, from git, in a process of its own: what it does to a store that it shares with us.

`python previous.py URL` is that process. It imports nothing of the tests. Each line that it reads is a command, and
each that it writes is the answer, in JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# The last commit at each schema.
COMMITS = {
    "0008": "f1a378976c2fb2cbe3e628b3ab00290574e6b9ba",  # kept drafts in the rows of notifications
    "0010": "e3a9bf370654343eadbea05474eca582172722f2",  # wrote long rows into PostgreSQL
    "0012": "1a28141b7ee3b3511e1821ef5cad4dcc1b6f0d47",  # found a notification by its key alone
}
FEED = "orders.status/0"
LEASE = timedelta(minutes=5)
_PROJECT = Path(__file__).parents[2]


class NotInHistoryError(Exception):
    """The checkout does not reach back so far."""


def checkout(folder: Path, schema: str) -> Path:
    """Its package, as something to put on the path. Raises NotInHistoryError."""
    archive = subprocess.run(["git", "archive", COMMITS[schema], "service"], cwd=_PROJECT, capture_output=True)
    if archive.returncode:
        raise NotInHistoryError(archive.stderr.decode())
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    (folder / "import").mkdir()
    (folder / "import" / "avisa").symlink_to(folder / "service")
    return folder / "import"


class Previous:
    """It, running on a store that it has made."""

    def __init__(self, package: Path, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, url],
            env={"PYTHONPATH": str(package)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: str, *arguments: object) -> Any:
        """Its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([command, *arguments]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


# ---------------------------------------------------------------- in its process


async def _main(url: str) -> None:
    from dataclasses import replace as evolve

    from avisa.core.model import BLANK_NOTIFICATION, BLANK_ORDER, Purpose, Reason, State
    from avisa.ports import Attempt, Change, Claimed, Draft, Settlement
    from avisa.store import Store, StoreError, migrate, open_store

    assert os.environ["PYTHONPATH"] in (migrate.__file__ or "")
    if url.startswith("postgresql"):
        await migrate.upgrade(url)

    class Clock:
        def real(self) -> datetime:
            return datetime.now(UTC)

        now = real

    store: Store = open_store(url, clock=Clock(), exclusive=True)  # type: ignore[arg-type]
    await store.start()
    held: list[Claimed] = []
    begun: list[Attempt] = []

    async def commit(order_id: str, version: int) -> int:
        """A change with one more message; how many were lost."""
        now = datetime.now(UTC)
        seq = version + 1
        message = evolve(
            BLANK_NOTIFICATION, key=f"{order_id}/{seq}/update/1/customer", order_id=order_id, episode=seq, seq=seq,
            status="confirmed", purpose=Purpose.UPDATE, ordinal="1", recipient="customer", channel="email",
            decided_at=now, reason=Reason.ENTERED,
        )  # fmt: skip
        order = evolve(BLANK_ORDER, order_id=order_id, version=version, feed=FEED, seq=seq, last_word_at=now)
        done = await store.orders.commit([Change(order=order, notifications=(message,))], now=now)
        return len(done.lost)

    async def begin(words: str) -> dict[str, str]:
        """Claim what is due and begin it, anew or as it was frozen; the mails that may leave, by key."""
        now = datetime.now(UTC)
        held[:] = await store.outbox.claim(now_real=now, lease=LEASE, limit=99, feeds={FEED}, overdue=now - LEASE)
        fresh = Draft(
            catalog="v1", locale="en", json=f'{{"words":"{words}"}}'.encode(), message="m", message_id="<1@e>",
            address_hash=b"\1" * 16,
        )  # fmt: skip
        attempts = [Attempt(claimed=each, draft=each.draft or fresh, at_real=now) for each in held]
        keys = (await store.outbox.begin(attempts)).keys
        begun[:] = [attempt for attempt in attempts if attempt.key in keys]
        return {attempt.key: attempt.draft.json.decode() for attempt in begun}

    async def settle() -> list[str]:
        """Settle what was begun as sent; the keys."""
        now = datetime.now(UTC)
        keys = [attempt.key for attempt in begun]
        sent = [Settlement(key=each.key, state=State.SENT, reason=Reason.ACCEPTED, at=now) for each in begun]
        lost = await store.outbox.settle(sent)
        begun.clear()
        return [key for key in keys if key not in lost]

    async def loaded(order_ids: Sequence[str]) -> dict[str, int]:
        """The versions of these orders."""
        return {order_id: order.version for order_id, order in (await store.orders.load(order_ids)).items()}

    commands: dict[str, Any] = {"commit": commit, "begin": begin, "settle": settle, "loaded": loaded}
    for line in iter(sys.stdin.readline, ""):
        command, *arguments = json.loads(line)
        try:
            answer = await commands[command](*arguments)
        except (ValueError, StoreError) as failed:
            answer = type(failed).__name__
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
