"""The application: all parts of a running Avisa, wired by hand in one function and stopped in reverse."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from avisa import __version__
from avisa.answers import Answers
from avisa.app.catalogs import catalog_cache, read_folder
from avisa.app.edges import (
    cluster_of,
    embedded_cluster,
    embedded_inbox,
    example_senders,
    exposed_store,
    registry_of,
    relay_of,
)
from avisa.app.health import HealthChecks
from avisa.app.listeners import bind
from avisa.app.mailing import start_mailer
from avisa.app.publishing import publishing
from avisa.catalog import CatalogCache, Versions
from avisa.catalog.follow import Follower, begin
from avisa.clock import VirtualClock, clock_of, keep_origin
from avisa.core.retry import RetryPolicy
from avisa.core.unsubscribe_token import read_unsubscribe_token
from avisa.dispatch import Dispatch
from avisa.intake import Intake
from avisa.kafka import Cluster, DeadLetterCopies, LagTracker, Publisher, Subscription, asyncapi
from avisa.loops import keep_going
from avisa.ports import no_registry
from avisa.registry import Registry
from avisa.settings import Settings
from avisa.settings.errors import Misconfigured
from avisa.smtp.relay import Relay
from avisa.store.store import Store, open_store
from avisa.templates import template_folder
from avisa.templates.folder_watch import FolderWatch
from avisa.wake import Alarm, Wake
from avisa.web import Site
from avisa.web.server import CannotListen
from avisa.write_path import WritePath

if TYPE_CHECKING:
    from avisa.embedded.inbox import Inbox

log = structlog.get_logger("avisa")

DRAIN = 25.0  # seconds, at a stop, for mails that are on their way
STEP = 15.0  # seconds for any other step of stopping; together within the 45 of promise 9
KEPT = timedelta(days=400)  # how long an order is remembered after the last event or message
DEAD_LETTERS_KEPT = timedelta(days=90)
RETIRE_EVERY = 600.0
RETIRE = 500


@dataclass(kw_only=True)
class Application:
    """A running Avisa."""

    settings: Settings
    clock: VirtualClock
    store: Store
    catalogs: CatalogCache
    inbox: Inbox | None
    cluster: Cluster  # where Kafka is
    public_url: str | None
    port: int
    admin_port: int
    health: HealthChecks
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def until(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set. Raises what ended a loop, for no loop ends by itself."""
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
    """Start every part after those that it needs; on leaving, stop them in reverse.

    Raises Misconfigured, and StoreError if the store cannot be opened. A start does not wait for Kafka or the relay.
    """
    clock = clock_of(settings.clock)
    configured = cluster_of(settings.kafka)
    if configured is not None and (problem := configured.problem()):
        raise Misconfigured([problem])
    endpoint = registry_of(settings)
    if endpoint is not None and (problem := endpoint.problem()):
        raise Misconfigured([problem])
    registry = None if endpoint is None else Registry(endpoint)
    listeners = bind(settings.http)
    if isinstance(listeners, CannotListen):
        raise Misconfigured([listeners.problem])
    async with AsyncExitStack() as stack:
        stack.callback(listeners.close)
        store = open_store(settings.store.url.get_secret_value(), clock=clock, exclusive=True)
        await store.start()
        stack.push_async_callback(_step, "store", store.close)
        await keep_origin(clock, store.operations)
        for caution in exposed_store(settings):
            log.warning("app.cautioned", meaning=caution)

        inbox = embedded_inbox(settings, clock)
        if inbox is not None:
            await inbox.start()
            stack.push_async_callback(_step, "inbox", inbox.stop)
        public_url = settings.public_url or (f"http://127.0.0.1:{listeners.public_port}" if inbox else None)
        secret = await _secret(settings, store)
        catalogs = catalog_cache(settings, store, secret=secret, public_url=public_url)
        versions = Versions(catalogs, store.versions)
        folder = template_folder.locate(settings.templates)
        watch = FolderWatch(folder)
        if wrong := await begin(versions, catalogs, read_folder(folder), clock):
            raise Misconfigured([f"{problem.location}: {problem.summary}" for problem in wrong])
        if inbox is None:
            for caution in example_senders(catalogs.in_force.plan):
                log.warning("app.cautioned", meaning=caution)
        relay = relay_of(settings) if inbox is None else Relay(host="127.0.0.1", port=inbox.port, tls="none")
        assert relay is not None
        mailer, stop_mailer = await start_mailer(settings, relay)
        stack.push_async_callback(_step, "email", stop_mailer)

        cluster = configured or embedded_cluster(settings, stack)
        publisher = Publisher(cluster, wait_for_reader=configured is None)
        lag = LagTracker(
            since=clock.real(),
            blind_after=lambda: catalogs.in_force.plan.feed.blind_after,
            silent_after=lambda: catalogs.in_force.plan.feed.silent_after,
        )

        retry = settings.retry
        dispatch = Dispatch(
            store.orders,
            store.outbox,
            catalogs,
            mailer,
            clock,
            lag,
            policy=RetryPolicy(steps=retry.steps, give_up=retry.give_up),
            lease=retry.lease,
            jitter=random.random,
        )
        alarm = Alarm()
        prepare = dispatch.preparation.prepare
        write_path = WritePath(store.orders, prepare, dispatch, lease=retry.lease, on_wake_at=alarm.expect)
        wake = Wake(store.orders, catalogs, clock, lag, write_path, alarm)
        intake = Intake(store.orders, catalogs, clock, write_path)
        subscription = Subscription(
            cluster,
            take=intake.take,
            rules=lambda: catalogs.in_force.plan.events,
            types=settings.kafka.types or (),
            schemas=no_registry if registry is None else registry.find,
            lag=lag,
            clock=clock,
        )
        tasks: list[asyncio.Task[None]] = []
        health = HealthChecks(
            clock=clock,
            queries=store.queries,
            catalogs=catalogs,
            versions=versions,
            watch=watch,
            mailer=mailer,
            lag=lag,
            subscription=subscription,
            dispatch=dispatch,
            intake=intake,
            registry=registry,
            tasks=tasks,
        )
        site = Site(
            alive=health.alive,
            ready=health.ready,
            readings=health.readings,
            read_token=partial(read_unsubscribe_token, secret),
            unsubscribe=lambda address_hash: store.operations.unsubscribe(address_hash, now=clock.now()),
            answers=Answers(store.orders, store.queries, catalogs, clock, write_path, secret=secret),
            asyncapi=lambda: asyncapi(cluster, version=__version__),
            mailbox=inbox,
            publishing=publishing(settings, publisher, catalogs, clock),
            public_url=public_url,
        )
        for server in listeners.servers(site):
            await server.start()
            stack.push_async_callback(_step, "web", server.stop)

        def keep_running(name: str, work: Awaitable[None]) -> asyncio.Task[None]:
            task = asyncio.ensure_future(work)
            task.set_name(name)
            tasks.append(task)
            return task

        replica = f"{socket.gethostname()}:{listeners.public_port}"
        follower = Follower(
            versions,
            catalogs,
            clock,
            read=partial(read_folder, folder),
            saves=watch.changes(),
            store=store.versions,
            memory=store.operations,
            orders=store.orders,
            replica=replica,
            compile_ahead=lambda new: mailer.compile_ahead(new.version, new.renderer, new.open_messages()),
        )
        stack.push_async_callback(_step, "templates", follower.leave)

        # Stopped in reverse: first nothing new comes in, then nothing is woken, then what is on its way arrives.
        sending = keep_running("dispatch", dispatch.run())
        stack.push_async_callback(_end, sending)
        stack.push_async_callback(dispatch.drain, DRAIN)
        for name, work in (
            ("wake", wake.run()),
            ("templates", follower.run()),
            ("dead letters", DeadLetterCopies(cluster, store.operations).run()),
            ("retention", _retire(store, clock, keep_mails=settings.store.keep_mails)),
        ):
            stack.push_async_callback(_end, keep_running(name, work))
        reading = keep_running("kafka", subscription.run())
        stack.push_async_callback(_end, reading)
        stack.push_async_callback(_step, "kafka", subscription.stop)
        stack.push_async_callback(_step, "events by HTTP", publisher.stop)

        yield Application(
            settings=settings,
            clock=clock,
            store=store,
            catalogs=catalogs,
            inbox=inbox,
            cluster=cluster,
            public_url=public_url,
            port=listeners.public_port,
            admin_port=listeners.admin_port,
            health=health,
            tasks=tasks,
        )


async def _secret(settings: Settings, store: Store) -> bytes:
    """The key of the links in mails: as set, else one that the store keeps from the first start on."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    return await store.operations.secret_key(os.urandom(32))


async def _retire(store: Store, clock: VirtualClock, *, keep_mails: timedelta) -> None:
    """Forget orders 400 days after the last word, dead letters after 90 days and the drafts of mails after
    `keep_mails`. Raises DurabilityLost."""
    operations = store.operations

    async def step() -> None:  # few at a time, so that nobody waits long for the writer
        while await operations.retire(quiet_since=clock.now() - KEPT, limit=RETIRE) == RETIRE:
            pass
        while await operations.forget_dead_letters(before=clock.now() - DEAD_LETTERS_KEPT, limit=RETIRE) == RETIRE:
            pass
        while await operations.forget_drafts(before=clock.real() - keep_mails, limit=RETIRE) == RETIRE:
            pass
        await asyncio.sleep(RETIRE_EVERY)

    await keep_going(step, event="app.retention_failed", pause=RETIRE_EVERY)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


async def _step(name: str, stop: Callable[[], Awaitable[None]]) -> None:
    """One step of stopping. It ends after STEP seconds, and whatever it raises, the next step follows."""
    try:
        async with asyncio.timeout(STEP):
            await stop()
    except (Exception, asyncio.CancelledError) as trouble:
        log.warning("app.stop_failed", part=name, error=type(trouble).__name__)
