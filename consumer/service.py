"""The composition root: builds the adapters, owns the root TaskGroup and the signals.

HTTP server ─ AWS clients ─ Nakadi client            (opened in this order, closed in reverse)
  └─ coordinator (keeper, discovery, shard consumers)
     publisher, dead letter sender, observer          (end when the coordinator has ended)
"""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import uuid
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from consumer import __version__
from consumer.access import fallback_region, token_of
from consumer.adapters.aws import Aws
from consumer.adapters.clock import SystemClock
from consumer.adapters.dead_letter_queue import SqsDeadLetterQueue
from consumer.adapters.http_server import serve_http
from consumer.adapters.lease_table import LeaseTable
from consumer.adapters.nakadi import Nakadi
from consumer.adapters.streams import DynamoDbStreams
from consumer.core.fence import Fence
from consumer.core.lease import Worker
from consumer.core.stream import Stream
from consumer.core.transcode import Transcoder
from consumer.errors import Fatal
from consumer.metrics import Metrics
from consumer.observer import Observer
from consumer.runtime.backlog import Backlog
from consumer.runtime.bootstrap import Source
from consumer.runtime.coordinator import Coordinator
from consumer.runtime.dead_letters import DeadLetterSender
from consumer.runtime.delivery import Delivery
from consumer.runtime.discovery import Discovery
from consumer.runtime.event_type import EventType
from consumer.runtime.keeper import Keeper
from consumer.runtime.lease_writer import LeaseWriter
from consumer.runtime.publisher import Publisher
from consumer.runtime.relay import Relay
from consumer.runtime.shard_consumer import ShardConsumer
from consumer.source import check_enabled, check_ordering_key, find_stream, patiently

if TYPE_CHECKING:
    from consumer.core.lease import Lease, StreamRow
    from consumer.core.stream import StreamPage
    from consumer.ports import DeadLetterQueue, LeaseStore, StreamClient
    from consumer.ports import Publisher as PublisherPort
    from consumer.settings import Settings

log = structlog.get_logger()

STREAM_CONNECTIONS = 400
"""Most connections to DynamoDB Streams: two for each of as many shards as one worker can read."""

LEASE_CONNECTIONS = 50
"""Most connections to the lease table; writes of more shards than this wait their turn."""


class Service:
    """Everything of one process, wired up."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._chance = random.Random()  # noqa: S311 - spreads retries, guards no secret
        self._metrics = Metrics()
        self._worker_id = f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
        self._stopped = asyncio.Event()
        self._coordinator: Coordinator | None = None
        limits = settings.publish_limits()
        self._backlog = Backlog(settings.queue_bytes, self._metrics)
        self._event_type = EventType(settings.event_type, limits, self._clock, self._chance)
        self.observer = Observer(
            worker_id=self._worker_id,
            application=settings.application,
            scan=settings.scan_seconds,
            backlog=self._backlog,
            event_type=self._event_type,
            clock=self._clock,
            metrics=self._metrics,
        )

    def stop(self) -> None:
        """SIGTERM or SIGINT: hand everything over."""
        if not self._stopped.is_set():
            log.info("stopping", worker=self._worker_id)
        self._stopped.set()
        self.observer.draining = True
        if self._coordinator is not None:
            self._coordinator.stop()

    async def run(self) -> None:
        """Serve until stopped and drained. Raises Fatal."""
        settings = self._settings
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(
                serve_http(settings.http_host, settings.http_port, self.observer)
            )
            log.info(
                "starting",
                worker=self._worker_id,
                application=settings.application,
                version=__version__,
                http_port=port,
            )
            aws = await stack.enter_async_context(Aws(fallback_region(settings)))
            dynamodb = await aws.dynamodb(LEASE_CONNECTIONS)
            client = DynamoDbStreams(
                await aws.streams(STREAM_CONNECTIONS), dynamodb, self._clock, self._metrics
            )
            store = LeaseTable(
                dynamodb,
                self._clock,
                table=settings.lease_table,
                application=settings.application,
                request_seconds=settings.heartbeat_seconds,
            )
            nakadi = await stack.enter_async_context(
                Nakadi(
                    settings.nakadi_url,
                    settings.event_type,
                    token_of(settings),
                    self._clock,
                    concurrency=settings.publish_concurrency,
                    timeout=settings.publish_timeout_seconds,
                )
            )
            page = await self._find(client, store)
            queue = None
            if settings.dead_letter_queue_url is not None:
                keys = page.key_attributes
                form = settings.event_format(page.stream.arn, keys[0])
                queue = SqsDeadLetterQueue(
                    await aws.sqs(), settings.dead_letter_queue_url, form, keys
                )
            await self._serve(client, store, nakadi, queue, page)

    async def _find(self, client: StreamClient, store: LeaseStore) -> StreamPage:
        """Reach stream and lease table; the first answers decide whether the settings fit."""
        settings = self._settings

        async def prepare() -> StreamPage:
            page = await find_stream(settings, client)
            check_ordering_key(settings, page)
            return page

        page = await patiently("the stream", prepare, self._clock, self._chance)
        await patiently(
            "the lease table",
            lambda: store.ensure_table(create=settings.lease_table_create),
            self._clock,
            self._chance,
        )
        if not page.enabled:
            _, rows = await patiently(
                "the lease table", store.read_peers, self._clock, self._chance
            )
            check_enabled(page, seen=any(row.key == page.stream.key for row in rows))
        return page

    async def _serve(
        self,
        client: StreamClient,
        store: LeaseStore,
        nakadi: PublisherPort,
        queue: DeadLetterQueue | None,
        page: StreamPage,
    ) -> None:
        settings, timing = self._settings, self._settings.lease_timing()
        fence = Fence(timing)
        limits = settings.publish_limits()
        dead_letters = DeadLetterSender(
            port=queue,
            backlog=self._backlog,
            event_type=self._event_type,
            fence=fence,
            limits=limits,
            clock=self._clock,
            chance=self._chance,
            metrics=self._metrics,
        )
        delivery = Delivery(
            port=nakadi,
            backlog=self._backlog,
            dead_letters=dead_letters,
            event_type=self._event_type,
            fence=fence,
            limits=limits,
            clock=self._clock,
            chance=self._chance,
            metrics=self._metrics,
        )
        publisher = Publisher(
            delivery=delivery,
            backlog=self._backlog,
            event_type=self._event_type,
            fence=fence,
            limits=limits,
            clock=self._clock,
        )
        source = Source(
            stream=page.stream,
            follow_table=settings.table is not None,
            start_position=settings.start,
            fingerprint=settings.fingerprint(page.key_attributes[0]),
            view_types=settings.view_types,
            accept_change=settings.accept_change,
        )
        keeper = Keeper(store, self._clock, timing, fence, self._worker_row(page))
        discovery = Discovery(store, client, self._clock, timing, source, self._metrics)
        relay = Relay(
            client=client,
            store=store,
            lineage=discovery,
            backlog=self._backlog,
            delivery=delivery,
            fence=fence,
            clock=self._clock,
            chance=self._chance,
            metrics=self._metrics,
            timing=timing,
            poll=settings.poll_timing(),
            limits=limits,
        )

        def consumer_of(row: StreamRow, lease: Lease, epoch: int) -> ShardConsumer:
            return ShardConsumer(
                relay=relay,
                stream=Stream(row.arn, row.table, row.label),
                row=row,
                writer=LeaseWriter(
                    store, self._clock, self._chance, row.key, lease, self._worker_id, timing
                ),
                transcoder=Transcoder(settings.event_format(row.arn, page.key_attributes[0])),
                epoch=epoch,
            )

        coordinator = self._coordinator = Coordinator(
            store=store,
            streams=client,
            clock=self._clock,
            chance=self._chance,
            timing=timing,
            source=source,
            keeper=keeper,
            fence=fence,
            discovery=discovery,
            factory=consumer_of,
            metrics=self._metrics,
        )
        self.observer.watch(coordinator, keeper, relay, page)
        if self._stopped.is_set():
            coordinator.stop()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(publisher.run(), name="publisher")
            tasks.create_task(dead_letters.run(), name="dead letters")
            tasks.create_task(self.observer.run(), name="observer")
            await coordinator.run()
            publisher.stop()
            dead_letters.stop()
            self.observer.stop()
        log.info("stopped", worker=self._worker_id)

    def _worker_row(self, page: StreamPage) -> Worker:
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
        )


async def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; 0 when every lease was released. Raises Fatal."""
    service = Service(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    try:
        await service.run()
    except BaseExceptionGroup as group:
        fatal = _fatal_in(group)
        if fatal is None:
            raise
        raise fatal from group
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0


def _fatal_in(group: BaseExceptionGroup[BaseException]) -> Fatal | None:
    found = group.subgroup(Fatal)
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]  # type: ignore[assignment]
    return found if isinstance(found, Fatal) else None
