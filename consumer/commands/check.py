"""`consumer check`: calls every dependency, writes nothing, and prints what works.

If a dependency fails, the others are still called, and each gets its line. So does everything that
the rows of the workers and leases say is wrong in the application that runs.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer import preflight
from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.queue.queue_attributes import queue_attributes
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.adapters.nakadi import Nakadi
from consumer.commands import check_mapping
from consumer.commands.check_table import EVENT_TYPE, counted, failure, table
from consumer.commands.operate.lease_reading import lease_lines
from consumer.core.preflight.check_result import (
    CheckResult,
    Severity,
    check_clock,
    check_ordering_key,
    check_region,
    exit_code,
)
from consumer.core.preflight.queue_fitness import judge_queue, judge_queue_region
from consumer.core.preflight.route_check import judge_routes, of_route
from consumer.core.reports.application_report import judge_application
from consumer.credentials import fallback_region, secret_token, tls_of, token_of
from consumer.errors import LeaseTableAbsent, Misconfigured, Retryable
from consumer.find_stream import check_enabled, check_place, find_stream, is_known, purpose_of
from consumer.observability import logs
from consumer.runtime.discovery.purpose_keeper import conflict_of
from consumer.second_sender import check_second_sender
from consumer.settings.loading import load_settings
from consumer.settings.routes import check_touch_attribute, routes_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

    from consumer.adapters.token import Token
    from consumer.core.leases.lease import StreamRow
    from consumer.core.routes.route import Route
    from consumer.core.stream.stream import StreamPage
    from consumer.settings.settings import Settings

CONNECTIONS = 2


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print the table of results; return 2 if one is wrong, else 1 if one is unreachable, else 0.

    `--offline` only checks the settings. Raise Misconfigured if they are wrong.
    """
    if arguments.mapping is not None:
        return check_mapping.run(arguments, environ, out)
    if arguments.function is not None:
        raise Misconfigured("--function: found it without --mapping, whose function it is")
    settings = load_settings(environ)
    if arguments.offline:
        if arguments.redrive_by_mapping:
            raise Misconfigured(
                "--redrive-by-mapping: found it beside --offline, which does not ask for the queue;"
                " leave one of the two out"
            )
        found = judge_routes(routes_of(settings, ()))
        doubtful = any(each.severity is not Severity.FINE for each in found)
        verdict = "are valid, some are doubtful" if doubtful else "are fine"
        application = f"application {settings.application}"
        out.write(f"settings {verdict}: {application}; nothing was called\n")
        if found:
            out.write(table(found))
        return 0
    logs.configure_command()
    check = Check(settings, redrive_by_mapping=arguments.redrive_by_mapping)
    asyncio.run(check.run())
    out.write(table(check.results))
    return exit_code(check.results)


class Check:
    """Calls the dependencies; `results` has one line or more for each, in order."""

    def __init__(self, settings: Settings, *, redrive_by_mapping: bool = False) -> None:
        self.results = [
            CheckResult("settings", Severity.FINE, f"application {settings.application}")
        ]
        self._settings = settings
        self._redrive_by_mapping = redrive_by_mapping
        self._clock = SystemClock()
        self._page: StreamPage | None = None  # None until the stream is found

    async def run(self) -> None:
        """Call the dependencies one after the other; each adapter limits its own time."""
        async with Aws(fallback_region(self._settings)) as aws:
            has_region = self._region(aws)  # without one, every call would say the same
            if has_region:
                with self._reporting("stream"):
                    await self._stream(aws)
            self.results.extend(judge_routes(self._routes()))
            if has_region:
                with self._reporting("lease table"):
                    await self._lease_table(aws)
                with self._reporting("dead letter queue"):
                    await self._queue(aws)
            if aws.clock.ahead is not None:
                self.results.append(check_clock(aws.clock.ahead))
            token: Token = token_of(self._settings)
            with self._reporting("token"):
                arn = self._settings.nakadi_token_secret
                if arn is None:
                    self._token(token)
                else:
                    token = secret = await secret_token(arn, aws, self._clock.now)
                    await secret.read()
                    self._fine("token", f"from {arn}")
        await self._event_types(token)

    @contextmanager
    def _reporting(self, dependency: str) -> Iterator[None]:
        try:
            yield
        except (Misconfigured, Retryable) as error:
            self.results.append(failure(dependency, error))

    def _fine(self, dependency: str, result: str) -> None:
        self.results.append(CheckResult(dependency, Severity.FINE, result))

    def _doubtful(self, dependency: str, result: str, remedy: str) -> None:
        self.results.append(CheckResult(dependency, Severity.DOUBTFUL, result, remedy))

    def _region(self, aws: Aws) -> bool:
        """Report the region; return whether there is one."""
        with self._reporting("AWS"):
            self.results.append(check_region(aws.region, fallback_region(self._settings)))
            return True
        return False

    async def _stream(self, aws: Aws) -> None:
        client = DynamoDbStreams(
            await aws.streams(CONNECTIONS), await aws.dynamodb(CONNECTIONS), self._clock
        )
        rows = await self._known_rows(aws)
        found = await find_stream(self._settings, client, rows)
        page = self._page = found.page
        check_enabled(page, known=is_known(self._settings, page, rows))
        self._fine("stream", page.stream.arn)
        if found.doubt is not None:
            what, _, remedy = str(found.doubt).partition("; ")
            self._doubtful("stream", f"{what}: known streams are read on", remedy)
        elif not page.enabled:
            self._doubtful("stream", "disabled: the rest of it is read", "enable a stream again")
        self._fine("view type", page.view_type)
        with self._reporting("stream"):
            check_place(self._settings, page, rows)
            check_touch_attribute(self._settings, page.key_attributes)
        self._purpose(page, rows)
        for route in self._routes():
            chosen, keys = route.format.ordering_key, page.key_attributes
            result = check_ordering_key(chosen, keys, route.setting("ordering_key"))
            self.results.extend(of_route(route, [result]))

    def _purpose(self, page: StreamPage, rows: Sequence[StreamRow]) -> None:
        """Report the rows of the table's streams that were written for another purpose."""
        purpose = purpose_of(self._settings, page)
        of_table = [row for row in rows if row.table == page.stream.table]
        readable = [row for row in of_table if row.unreadable is None]
        for conflict in filter(None, (conflict_of(purpose, row) for row in readable)):
            found = failure("application", conflict)
            if self._settings.accept_change:
                accepted = "nothing: CONSUMER_ACCEPT_CHANGE is set, so it is replaced"
                found = replace(found, severity=Severity.DOUBTFUL, remedy=accepted)
            self.results.append(found)

    async def _known_rows(self, aws: Aws) -> Sequence[StreamRow]:
        """Return the stream rows; none if the lease table does not answer, which is told later."""
        try:
            _, rows = await (await self._store(aws)).read_peers()
        except (Misconfigured, Retryable):
            return ()
        return rows

    async def _store(self, aws: Aws, application: str | None = None) -> LeaseTable:
        return LeaseTable(
            await aws.dynamodb(CONNECTIONS),
            self._clock,
            table=self._settings.lease_table,
            application=application or self._settings.application,
            request_seconds=self._settings.heartbeat_seconds,
        )

    async def _lease_table(self, aws: Aws) -> None:
        settings = self._settings
        store = await self._store(aws)

        async def rows_of(application: str) -> Sequence[StreamRow]:
            return (await (await self._store(aws, application)).read_peers())[1]

        try:
            await store.ensure_table(create=False)
        except LeaseTableAbsent:
            if not settings.lease_table_create:
                raise
            self._fine("lease table", f"{settings.lease_table}: absent, `consumer run` creates it")
            return
        workers, streams = await store.read_peers()
        self._fine(
            "lease table",
            f"{settings.lease_table}: {counted(workers, 'worker')}, {counted(streams, 'stream')}",
        )
        if self._page is not None:
            with self._reporting("lease table"):
                await check_second_sender(settings, self._page, rows_of)
        duration = settings.lease_duration_seconds
        lines = await lease_lines(store, workers, streams, duration, aws.clock)
        self.results.extend(judge_application(workers, lines, duration, aws.clock.wall()))

    async def _queue(self, aws: Aws) -> None:
        url = self._settings.dead_letter_queue_url
        if url is None:
            self._doubtful(
                "dead letter queue",
                "none: a poison event blocks its key",
                "set CONSUMER_DEAD_LETTER_QUEUE_URL",
            )
            return
        sqs = await aws.sqs()
        elsewhere = judge_queue_region(url, sqs.meta.endpoint_url)
        if elsewhere is not None:
            self.results.append(elsewhere)
            return
        queue = await queue_attributes(sqs, url)
        self.results.extend(
            judge_queue(queue, self._settings.event_bytes, moves_messages=self._redrive_by_mapping)
        )

    def _token(self, token: Token) -> None:
        file = self._settings.nakadi_token_file
        if token.header(self._clock.now()) is not None:
            self._fine("token", "given" if file is None else f"from {file}")
        elif file is None:
            self._fine("token", "none: requests carry no token")
        else:
            raise Misconfigured(f"{file} has no token; wanted a readable file with one line")

    def _routes(self) -> tuple[Route, ...]:
        """Return the routes, with the table's key as far as it is known."""
        page = self._page
        if page is None:
            return routes_of(self._settings, ())
        return routes_of(self._settings, page.key_attributes, page.view_type)

    async def _event_types(self, token: Token) -> None:
        """Ask for all event types at the same time: one that does not answer holds up no other."""
        found: dict[str, list[CheckResult]] = {}

        async def ask(route: Route) -> None:
            found[route.event_type] = await self._event_type(route, token)

        routes = self._routes()
        async with asyncio.TaskGroup() as tasks:
            for route in routes:
                tasks.create_task(ask(route))
        for route in routes:
            self.results.extend(found[route.event_type])

    async def _event_type(self, route: Route, token: Token) -> list[CheckResult]:
        settings, page = self._settings, self._page
        try:
            async with Nakadi(
                settings.nakadi_url,
                route.event_type,
                token,
                self._clock,
                concurrency=CONNECTIONS,
                timeout=settings.publish_timeout_seconds,
                tls=tls_of(settings),
            ) as nakadi:
                view_type = None if page is None else page.view_type
                return (await preflight.look(nakadi, route, view_type)).results
        except (Misconfigured, Retryable) as error:
            return of_route(route, [failure(EVENT_TYPE, error)])
