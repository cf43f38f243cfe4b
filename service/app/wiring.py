"""The house, wired by hand in one straight function and taken down in reverse."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from avisa import __version__
from avisa.app import stand_in, template_sync
from avisa.app.cluster import cluster_of
from avisa.app.health import HealthChecks
from avisa.app.relay import example_senders, relay_of
from avisa.catalog import CatalogCache, Versions
from avisa.clock import VirtualClock, clock_of, keep_origin
from avisa.core.retry import RetryPolicy
from avisa.core.unsubscribe_token import read_unsubscribe_token
from avisa.dispatch import Dispatch
from avisa.intake import Intake
from avisa.kafka import Cluster, DeadLetterCopies, LagTracker, Subscription, asyncapi
from avisa.loops import keep_going
from avisa.settings import Settings
from avisa.settings.errors import Misconfigured
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Relay
from avisa.store.store import Store, open_store
from avisa.wake import Alarm, Wake
from avisa.web import Site, build
from avisa.web.server import CannotListen, Server, listen
from avisa.write_path import WritePath

if TYPE_CHECKING:
    from avisa.embedded.inbox import Inbox

log = structlog.get_logger("avisa")

DRAIN = 25.0  # seconds for answers that are outstanding when we are to stop
STEP = 15.0  # seconds for any other step of stopping; together within the 45 of promise 9
KEPT = timedelta(days=400)  # how long an order is remembered after it ended
RETIRE_EVERY = 600.0
RETIRE = 500


@dataclass(kw_only=True)
class Application:
    """A running Avisa."""

    settings: Settings
    clock: VirtualClock
    store: Store
    shelf: CatalogCache
    inbox: Inbox | None
    cluster: Cluster  # where Kafka is
    public_url: str | None
    port: int
    doctor: HealthChecks
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def until(self, stop: asyncio.Event) -> None:
        """Live until `stop` is set; raises what ended a loop that should never end."""
        waiting = asyncio.ensure_future(stop.wait())
        try:
            done, _ = await asyncio.wait({waiting, *self.tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {waiting}:
                task.result()
                raise RuntimeError(f"{task.get_name()} ended")
        finally:
            waiting.cancel()


@asynccontextmanager
async def open_application(settings: Settings) -> AsyncIterator[Application]:
    """Start everything, in the order in which it is needed; on leaving, stop it in reverse.

    Raises `Misconfigured` and what the store raises. Kafka and the relay may be away: they are waited for.
    """
    clock = clock_of(settings.clock)
    configured = cluster_of(settings.kafka)
    if configured is not None and (problem := configured.problem()):
        raise Misconfigured([problem])
    listener = listen(settings.http.host, settings.http.port)
    if isinstance(listener, CannotListen):
        raise Misconfigured([listener.problem])
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        store = open_store(settings.store.url.get_secret_value(), clock=clock, exclusive=True)
        await store.start()
        stack.push_async_callback(_step, "store", store.close)
        await keep_origin(clock, store.operations)

        inbox = stand_in.inbox(settings, clock)
        if inbox is not None:
            await inbox.start()
            stack.push_async_callback(_step, "inbox", inbox.stop)
        public_url = settings.public_url or (f"http://127.0.0.1:{listener.getsockname()[1]}" if inbox else None)
        secret = await _secret(settings, store)
        shelf = template_sync.shelf_of(settings, store, secret, public_url)
        versions = Versions(shelf, store.versions)
        folder = template_sync.folder_of(settings)
        await template_sync.begin(versions, shelf, folder, clock)
        if inbox is None:
            for caution in example_senders(shelf.in_force.plan):
                log.warning("caution", meaning=caution)
        relay = relay_of(settings.smtp) if inbox is None else Relay(host="127.0.0.1", port=inbox.port, tls="none")
        assert relay is not None
        channel = EmailChannel(relay, jitter=random.random)
        await channel.start()
        stack.push_async_callback(_step, "email", partial(channel.stop, 5.0))

        cluster = configured or stand_in.cluster(settings, stack)
        lag = LagTracker(
            since=clock.real(),
            blind_after=lambda: shelf.in_force.plan.feed.blind_after,
            silent_after=lambda: shelf.in_force.plan.feed.silent_after,
        )

        retry = settings.retry
        dispatch = Dispatch(
            store.orders,
            store.outbox,
            shelf,
            channel,
            clock,
            lag,
            policy=RetryPolicy(steps=retry.steps, give_up=retry.give_up),
            lease=retry.lease,
            jitter=random.random,
        )
        alarm = Alarm()
        prepare = dispatch.preparation.prepare
        write_path = WritePath(store.orders, prepare, dispatch, lease=retry.lease, on_wake_at=alarm.expect)
        wake = Wake(store.orders, shelf, clock, lag, write_path, alarm)
        intake = Intake(store.orders, shelf, clock, write_path)
        subscription = Subscription(
            cluster,
            take=intake.take,
            rank_by=lambda: shelf.in_force.plan.rank_by,
            types=settings.kafka.types or (),
            lag=lag,
            clock=clock,
        )
        tasks: list[asyncio.Task[None]] = []
        doctor = HealthChecks(
            clock=clock,
            reads=store.queries,
            shelf=shelf,
            versions=versions,
            channel=channel,
            lag=lag,
            subscription=subscription,
            dispatch=dispatch,
            tasks=tasks,
        )
        site = Site(
            alive=doctor.alive,
            ready=doctor.ready,
            readings=doctor.readings,
            read_token=partial(read_unsubscribe_token, secret),
            unsubscribe=lambda address_hash: store.operations.unsubscribe(address_hash, now=clock.now()),
            asyncapi=lambda: asyncapi(cluster, version=__version__),
            mailbox=inbox,
            public_url=public_url,
        )
        server = Server(build(site), listener)
        await server.start()
        stack.push_async_callback(_step, "web", server.stop)

        def keep_running(name: str, work: Awaitable[None]) -> asyncio.Task[None]:
            task = asyncio.ensure_future(work)
            task.set_name(name)
            tasks.append(task)
            return task

        name = f"{socket.gethostname()}:{listener.getsockname()[1]}"
        follower = template_sync.Follower(versions, shelf, folder, clock, store, name)
        stack.push_async_callback(_step, "templates", follower.leave)

        # Stopped in reverse: first nothing new comes in, then nothing is woken, then what is on its way arrives.
        sending = keep_running("dispatch", dispatch.run())
        stack.push_async_callback(_end, sending)
        stack.push_async_callback(dispatch.drain, DRAIN)
        for name, work in (
            ("wake", wake.run()),
            ("templates", follower.run()),
            ("dead letters", DeadLetterCopies(cluster, store.operations).run()),
            ("retention", _retire(store, clock)),
        ):
            stack.push_async_callback(_end, keep_running(name, work))
        reading = keep_running("kafka", subscription.run())
        stack.push_async_callback(_end, reading)
        stack.push_async_callback(_step, "kafka", subscription.stop)

        gc.collect()
        gc.freeze()  # what is here now stays: half of what a collection costs is looking at it again
        gc.set_threshold(50_000, 20, 100)
        gc.enable()
        # The store's threads need the interpreter between any two statements: at 5 ms each, most of a mail's way.
        sys.setswitchinterval(0.0005)
        yield Application(
            settings=settings,
            clock=clock,
            store=store,
            shelf=shelf,
            inbox=inbox,
            cluster=cluster,
            public_url=public_url,
            port=server.port,
            doctor=doctor,
            tasks=tasks,
        )


async def _secret(settings: Settings, store: Store) -> bytes:
    given = settings.secret_key
    return (
        given.get_secret_value().encode() if given is not None else await store.operations.secret_key(os.urandom(32))
    )


async def _retire(store: Store, clock: VirtualClock) -> None:
    """Forget the orders that ended more than 400 days ago. Raises DurabilityLost."""

    async def step() -> None:
        while await store.operations.retire(ended_before=clock.now() - KEPT, limit=RETIRE) == RETIRE:
            pass  # few at a time, so that nobody waits long for the writer
        await asyncio.sleep(RETIRE_EVERY)

    await keep_going(step, event="retention.step_failed", pause=RETIRE_EVERY)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


async def _step(name: str, stop: Callable[[], Awaitable[None]]) -> None:
    """One step of stopping: bounded, and never a reason to leave out the next."""
    try:
        async with asyncio.timeout(STEP):
            await stop()
    except (Exception, asyncio.CancelledError) as trouble:
        log.warning("stop_incomplete", part=name, error=type(trouble).__name__)
