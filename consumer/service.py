"""The composition root: builds the adapters, owns the root TaskGroup and the signal handlers.

HTTP server ─ AWS clients ─ Nakadi client      (opened in this order, closed in reverse)
└─ the worker, on these ports, and the observer that watches it
"""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import socket
import uuid
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from consumer import __version__
from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.queue.dead_letter_queue import SqsDeadLetterQueue
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import AwsClock, SystemClock
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.adapters.serving.http_server import serve_http
from consumer.core.leases.lease import Worker
from consumer.core.leases.streams.stream_place import none_named
from consumer.credentials import fallback_region, open_token, tls_of
from consumer.errors import Fatal, LeaseTableAbsent, first_in
from consumer.find_stream import (
    FoundStream,
    check_enabled,
    check_ordering_key,
    check_place,
    find_stream,
    is_known,
    patiently,
    purpose_of,
    tell_doubt,
)
from consumer.nakadi_clients import open_nakadis
from consumer.observer import Observer
from consumer.preflight import before_start, tell_doubts
from consumer.runtime.consumer_worker import ConsumerWorker, Ports, WorkerConfig
from consumer.runtime.discovery.source import Source
from consumer.second_sender import check_second_sender
from consumer.settings.routes import routes_of, view_types_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from consumer.core.leases.lease import StreamRow
    from consumer.core.publishing.placement import Partitioning
    from consumer.core.stream.stream import StreamPage
    from consumer.observability.metrics import Metrics
    from consumer.ports import LeaseStore, StreamClient
    from consumer.settings.settings import Settings

log = structlog.get_logger()

STREAM_CONNECTIONS = 400
"""Most connections to DynamoDB Streams: two for each shard, for as many as a worker can read."""

LEASE_CONNECTIONS = 50
"""Most connections to the lease table; more requests at the same time wait for one."""


class Service:
    """The adapters, the worker and the observer of one process."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._clock = AwsClock(SystemClock())
        self._chance = random.Random()  # noqa: S311 - spreads retries, guards no secret
        self._metrics = metrics
        self._worker_id = f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
        self._stopped = asyncio.Event()
        self._worker: ConsumerWorker | None = None
        self._partitionings: Mapping[str, Partitioning] = {}
        self._opening: asyncio.Timeout | None = None  # set during the start
        self._observer = Observer(self._worker_id, settings, self._clock, self._metrics)

    def stop(self) -> None:
        """Begin to drain, or end the start. It is called for SIGTERM and SIGINT."""
        if self._stopped.is_set():
            return
        log.info("stopping", worker=self._worker_id)
        self._stopped.set()
        self._observer.draining = True
        if self._worker is not None:
            self._worker.stop()
        elif self._opening is not None:
            self._opening.reschedule(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Serve until stopped and drained. Raise Fatal, alone or in a group."""
        settings = self._settings
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(
                serve_http(
                    settings.http_host,
                    settings.http_port,
                    self._observer,
                    settings.http_allowed_hosts,
                )
            )
            log.info(
                "starting",
                worker=self._worker_id,
                application=settings.application,
                version=__version__,
                http_port=port,
            )
            if not self._stopped.is_set():  # it may have been while the server was opened
                await self._open_and_work(stack)
        log.info("stopped", worker=self._worker_id)

    async def _open_and_work(self, stack: AsyncExitStack) -> None:
        try:
            async with asyncio.timeout(None) as self._opening:
                ports, page = await self._open(stack)
            gc.freeze()  # the SDK's descriptions of the services stay, too, as what was imported
        except TimeoutError:
            if not self._stopped.is_set():
                raise
        else:
            if not self._stopped.is_set():
                await self._work(ports, page)
        finally:
            self._opening = None

    async def _open(self, stack: AsyncExitStack) -> tuple[Ports, StreamPage]:
        """Build the adapters, and wait until stream and lease table answer.

        The first call to the lease table and the reading of the trusted authorities, in threads,
        go on while the next client is made.
        """
        settings = self._settings
        aws = await stack.enter_async_context(Aws(fallback_region(settings), self._clock))
        dynamodb = await aws.dynamodb(LEASE_CONNECTIONS)

        def store_of(application: str) -> LeaseTable:
            return LeaseTable(
                dynamodb,
                self._clock,
                table=settings.lease_table,
                application=application,
                request_seconds=settings.heartbeat_seconds,
                metrics=self._metrics,
            )

        async def rows_of(application: str) -> Sequence[StreamRow]:
            return (await store_of(application).read_peers())[1]

        store = store_of(settings.application)
        async with asyncio.TaskGroup() as tasks:
            tls = tasks.create_task(asyncio.to_thread(tls_of, settings))
            known = tasks.create_task(self._known_rows(store))
            await asyncio.sleep(0)  # both begin before the client takes its time
            client = await aws.streams(STREAM_CONNECTIONS)
        streams = DynamoDbStreams(client, dynamodb, self._clock, self._metrics)
        rows = known.result()
        page = await self._find(streams, store, rows)
        await patiently(
            "the lease table",
            lambda: check_second_sender(settings, page, rows_of),
            self._clock,
            self._chance,
        )
        routes = routes_of(settings, page.key_attributes, page.view_type)
        tell_doubts(routes)
        token = await open_token(stack, settings, aws, self._clock.now, self._first_token)
        concurrency = {route.event_type: route.limits.concurrency for route in routes}
        nakadis = await open_nakadis(stack, settings, concurrency, token, tls.result(), self._clock)
        is_first = none_named(page.stream.table, rows)
        started = await before_start(nakadis, routes, page.view_type, first_to_name=is_first)
        self._partitionings = started.partitionings
        queue = None
        if settings.dead_letter_queue_url is not None:
            queue = SqsDeadLetterQueue(
                await aws.sqs(), settings.dead_letter_queue_url, self._clock.now
            )
        ports = Ports(streams, store, nakadis, queue, self._clock, self._chance, started.unfit)
        return ports, page

    async def _first_token(self, read: Callable[[], Awaitable[None]]) -> None:
        """Wait until the secret with the token answers."""
        await patiently("the secret with the token", read, self._clock, self._chance)

    async def _known_rows(self, store: LeaseStore) -> Sequence[StreamRow]:
        """Wait until the lease table answers; return the stream rows of this application."""

        async def known_rows() -> Sequence[StreamRow]:
            try:
                await store.ensure_table(create=False)
            except LeaseTableAbsent:
                if not self._settings.lease_table_create:
                    raise
                return ()
            _, rows = await store.read_peers()
            return rows

        return await patiently("the lease table", known_rows, self._clock, self._chance)

    async def _find(
        self, streams: StreamClient, store: LeaseStore, rows: Sequence[StreamRow]
    ) -> StreamPage:
        """Wait until the stream answers, too; return its first page.

        Raise Misconfigured if the settings do not fit stream and rows.
        """
        settings = self._settings

        async def prepare_table() -> None:
            await store.ensure_table(create=settings.lease_table_create)

        async def find() -> FoundStream:
            return await find_stream(settings, streams, rows)

        # The lease table is created only after the stream was found.
        found = await patiently("the stream", find, self._clock, self._chance)
        page = found.page
        check_ordering_key(settings, page)
        check_enabled(page, known=is_known(settings, page, rows))
        check_place(settings, page, rows)
        await patiently("the lease table", prepare_table, self._clock, self._chance)
        tell_doubt(found)
        return page

    async def _work(self, ports: Ports, page: StreamPage) -> None:
        settings = self._settings
        config = WorkerConfig(
            source=Source(
                stream=page.stream,
                follow_table=settings.table is not None,
                start_position=settings.start,
                purpose=purpose_of(settings, page),
                view_types=view_types_of(settings, page.key_attributes),
                accept_change=settings.accept_change,
            ),
            routes=routes_of(settings, page.key_attributes, page.view_type),
            timing=settings.lease_timing(),
            poll=settings.poll_timing(),
            queue_bytes=settings.queue_bytes,
            partitionings=self._partitionings,
        )
        worker = self._worker = ConsumerWorker(ports, config, self._row(page), self._metrics)
        self._observer.watch(worker, page)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._observer.run(), name="observer")
            await worker.run()
            self._observer.stop()

    def _row(self, page: StreamPage) -> Worker:
        return Worker(
            worker_id=self._worker_id,
            heartbeat=0,
            changes=0,
            streams=(page.stream.key,),
            able=True,
            draining=False,
            seen_at=self._clock.wall(),
            started_at=self._clock.wall(),
            host=socket.gethostname(),
            version=__version__,
            touch_attribute=self._settings.touch_attribute,
        )


async def run(settings: Settings, metrics: Metrics) -> int:
    """Serve until SIGTERM or SIGINT; return 0 after the drain. Raise Fatal."""
    service = Service(settings, metrics)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    try:
        await service.run()
    except BaseExceptionGroup as group:
        fatal = first_in(group, Fatal)
        if fatal is None:
            raise
        raise fatal from group
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0
