"""The composition root of a relay in Lambda: it builds the adapters of a process, once.

AWS clients ─ Nakadi clients      (opened in the first invocation; they live as long as the process)
└─ the relay, on these ports

A function reads no shards and keeps no leases, so many settings mean nothing to it: it names them
once, that one file may serve both.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import structlog

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.queue.dead_letter_queue import REQUEST_SECONDS, SqsDeadLetterQueue
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import AwsClock
from consumer.adapters.nakadi import IDLE_SECONDS, Nakadi
from consumer.core.event.occurred_at import time_of
from consumer.core.invocation.batch_answer import Unsettled, answer_of
from consumer.core.invocation.key_names import key_schema, names_in
from consumer.core.invocation.sending_time import (
    GIVE_UP_SECONDS,
    LEAST_SECONDS,
    missing_seconds,
)
from consumer.core.invocation.settled_memory import SettledMemory
from consumer.core.invocation.stream_batch import read_batch
from consumer.core.leases.checkpoint import LATEST
from consumer.core.stream.stream import Stream, StreamPage, ViewType
from consumer.credentials import fallback_region, kept, once, secret_token, tls_of, token_of
from consumer.errors import Misconfigured, Retryable, TokenUnreachable
from consumer.find_stream import check_ordering_key, check_view_type
from consumer.nakadi_clients import open_nakadis
from consumer.observability.conditions import Conditions
from consumer.observability.invocation_metrics import InvocationMetrics
from consumer.observability.metrics import Metrics
from consumer.preflight import before_start, tell_doubts
from consumer.runtime.instruments import Instruments
from consumer.runtime.invocation.relay import Relay, RelayLimits
from consumer.settings.routes import routes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.adapters.aws.secret_token import SecretToken
    from consumer.adapters.resumed_clock import ResumedClock
    from consumer.adapters.token import Token
    from consumer.core.invocation.stream_batch import StreamBatch
    from consumer.core.routes.route import Route
    from consumer.settings.settings import Settings

log = structlog.get_logger()

IGNORED: Final = (
    *("lease_table", "lease_table_create", "accept_change", "lease_duration_seconds"),
    *("heartbeat_seconds", "scan_seconds", "discovery_seconds", "checkpoint_seconds"),
    *("poll_seconds", "poll_idle_seconds", "poll_idle_max_seconds", "drain_seconds"),
    *("linger_seconds", "http_host", "http_port", "http_allowed_hosts", "metrics_shards"),
)
"""Settings that mean nothing to a function."""

LEAST_QUEUE_BYTES: Final = 16 * 1024 * 1024
MIB: Final = 1024 * 1024


class LambdaRelay:
    """What a process keeps. `memory_mib` is the function's memory."""

    def __init__(self, settings: Settings, clock: ResumedClock, memory_mib: int) -> None:
        if settings.start == LATEST:
            raise Misconfigured(
                "CONSUMER_START: found latest, wanted trim_horizon or a time: where a mapping"
                " begins is its own StartingPosition"
            )
        self._settings = settings
        self._resumed = clock
        self._clock = AwsClock(clock)
        self._memory_mib = memory_mib
        self._memory = SettledMemory()
        self._instruments = Instruments(
            self._clock,
            random.Random(),  # noqa: S311 - spreads retries, guards no secret
            Metrics(),
            Conditions(self._clock.now),
        )
        self._told = InvocationMetrics(
            settings.cloudwatch_namespace, settings.application, self._instruments.metrics
        )
        self._stack = AsyncExitStack()
        self._aws: Aws | None = None
        self._streams: DynamoDbStreams | None = None
        self._secret: SecretToken | None = None
        self._nakadis: Mapping[str, Nakadi] = {}
        self._relays: dict[tuple[tuple[str, ...], ViewType], Relay] = {}
        self._schemas: dict[str, tuple[str, ...]] = {}

    async def close(self) -> None:
        """Close all clients. Lambda ends a process without it."""
        await self._stack.aclose()

    async def invoke(self, event: object, remaining: float) -> Mapping[str, object]:
        """Publish the records of an event; return the answer to Lambda.

        `remaining` is how many seconds are left of the invocation. Raise NoStreamBatch,
        Misconfigured or BatchUnsettled: then Lambda repeats the whole batch.
        """
        idle = self._resumed.resume()
        ends_at = self._clock.now() + remaining
        if idle >= IDLE_SECONDS:
            await self._drop_connections()
        settings = self._settings
        missing = missing_seconds(remaining, settings.publish_timeout_seconds)
        if missing:
            raise Misconfigured(
                f"the function's time limit is too short by {missing:g} s: wanted"
                f" CONSUMER_PUBLISH_TIMEOUT_SECONDS and {LEAST_SECONDS:g} s more"
            )
        try:
            batch = read_batch(event)
            stream = Stream.from_arn(batch.stream_arn)
            self._guard(stream)
            unsettled = await self._settle(batch, stream, ends_at)
        finally:
            self._resumed.pause()
        self._told.tell(unsettled, self._clock.now(), self._clock.wall())
        if unsettled is not None:
            log.warning(
                "batch_unsettled",
                records=len(batch.records),
                unsettled=unsettled.records,
                sequence=unsettled.number,
                action="nothing; Lambda repeats the records from this one on. The lines before say"
                " what they wait for",
            )
        return answer_of(unsettled, partial=settings.lambda_partial)

    async def _settle(self, batch: StreamBatch, stream: Stream, ends_at: float) -> Unsettled | None:
        """Publish. Nothing is settled if what is asked before cannot be reached: an outage."""
        try:
            async with asyncio.timeout(ends_at - GIVE_UP_SECONDS - self._clock.now()):
                relay = await self._relay(batch, stream)
        except (Retryable, TokenUnreachable, TimeoutError) as error:
            log.warning(
                "batch_not_begun",
                detail=str(error) or "no answer in the time of the invocation",
                action="nothing; Lambda repeats the batch. If this lasts, let the role describe the"
                " stream and read the secret",
            )
            return Unsettled(batch.numbers[0], len(batch.records), time_of(batch.records[0]))
        return await self._publish(relay, batch, ends_at)

    async def _publish(self, relay: Relay, batch: StreamBatch, ends_at: float) -> Unsettled | None:
        """Publish, with a token that is read before if it is due, and after a 401 meanwhile."""
        secret = self._secret
        if secret is None:
            return await relay.relay(batch, ends_at)
        if secret.due_in <= 0:
            await secret.renew()
        async with kept(secret):
            return await relay.relay(batch, ends_at)

    def _guard(self, stream: Stream) -> None:
        """Raise Misconfigured for a stream that is not that of the settings."""
        settings = self._settings
        if settings.stream_arn is not None:
            if stream.arn != settings.stream_arn:
                raise Misconfigured(
                    f"CONSUMER_STREAM_ARN: found {settings.stream_arn}, but the records are of"
                    f" {stream.arn}"
                )
        elif stream.table != settings.table:
            raise Misconfigured(
                f"CONSUMER_TABLE: found {settings.table}, but the records are of {stream.arn}"
            )

    async def _relay(self, batch: StreamBatch, stream: Stream) -> Relay:
        """Return what publishes records of this stream, as they say that they are."""
        view_type = _view_type(batch.view_type)
        keys = await self._keys(batch, stream)
        relay = self._relays.get((keys, view_type))
        if relay is None:
            relay = self._relays[keys, view_type] = await self._open_relay(keys, view_type, stream)
        return relay

    async def _keys(self, batch: StreamBatch, stream: Stream) -> tuple[str, ...]:
        """Return the key attributes of the stream's table, the partition key first."""
        known = self._schemas.get(stream.arn)
        if known is None:
            chosen = [each.format.ordering_key for each in routes_of(self._settings, ())]
            known = key_schema(names_in(batch.records), chosen)
            if known is None:
                if self._streams is None:
                    aws = await self._open_aws()
                    self._streams = DynamoDbStreams(await aws.streams(1), None, self._clock)
                known = (await self._streams.describe_stream(stream, None)).key_attributes
            self._schemas[stream.arn] = known
        return known

    async def _open_aws(self) -> Aws:
        if self._aws is None:
            settings = self._settings
            aws = Aws(fallback_region(settings), self._clock)
            self._aws = await self._stack.enter_async_context(aws)
        return self._aws

    async def _open_relay(
        self, keys: tuple[str, ...], view_type: ViewType, stream: Stream
    ) -> Relay:
        """Build the relay: it happens in the first invocation, or again if that failed."""
        settings = self._settings
        page = StreamPage(stream, True, view_type, keys, (), None, 0.0)
        check_ordering_key(settings, page)
        check_view_type(settings, page)
        routes = routes_of(settings, keys, view_type)
        tell_doubts(routes)
        self._tell_ignored()
        if not self._nakadis:
            self._nakadis = await self._open_nakadis(routes)
        started = await before_start(self._nakadis, routes, view_type)
        queue = None
        if settings.dead_letter_queue_url is not None:
            aws = await self._open_aws()
            queue = SqsDeadLetterQueue(
                await aws.sqs(), settings.dead_letter_queue_url, self._clock.now
            )
        limits = RelayLimits(
            publish=settings.publish_timeout_seconds,
            letter=REQUEST_SECONDS,
            patience=settings.lambda_patience_seconds,
            queue_bytes=self._queue_bytes(),
            start=settings.start_time,
        )
        return Relay(
            routes,
            self._nakadis,
            queue,
            started.partitionings,
            started.unfit,
            limits,
            self._memory,
            self._instruments,
        )

    async def _open_nakadis(self, routes: tuple[Route, ...]) -> Mapping[str, Nakadi]:
        settings, tls = self._settings, tls_of(self._settings)
        token = await self._open_token()
        concurrency = {route.event_type: route.limits.concurrency for route in routes}
        return await open_nakadis(self._stack, settings, concurrency, token, tls, self._clock)

    async def _open_token(self) -> Token:
        """Return the source of the token. Raise TokenUnreachable, or Misconfigured."""
        arn = self._settings.nakadi_token_secret
        if arn is None:
            return token_of(self._settings)
        if self._secret is None:
            self._secret = await secret_token(arn, await self._open_aws(), self._clock.now)
        await once(self._secret.read)
        return self._secret

    async def _drop_connections(self) -> None:
        """Close the connections that were idle for too long: the other end has closed them."""
        for nakadi in self._nakadis.values():
            await nakadi.drop_connections()
        if self._aws is not None:
            await self._aws.drop_connections()

    def _tell_ignored(self) -> None:
        given = sorted(self._settings.model_fields_set.intersection(IGNORED))
        if given:
            log.info("settings_ignored", settings=given)

    def _queue_bytes(self) -> int:
        """Return the memory for events: a quarter of the function's, if none is set."""
        if "queue_bytes" in self._settings.model_fields_set:
            return self._settings.queue_bytes
        return max(LEAST_QUEUE_BYTES, self._memory_mib * MIB // 4)


def _view_type(word: str | None) -> ViewType:
    """Return a record's view type; one that does not say has all images, as far as is known."""
    try:
        return ViewType.NEW_AND_OLD_IMAGES if word is None else ViewType(word)
    except ValueError:
        raise Misconfigured(
            "the records have a StreamViewType that is not known; wanted"
            f" {ViewType.NEW_AND_OLD_IMAGES}"
        ) from None
