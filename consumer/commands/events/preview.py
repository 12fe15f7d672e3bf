"""`consumer preview`: shows what the routes make of stream records, and publishes nothing.

The records come from a file, or from the tip of the stream. Their answer is on stdout, notes on
what took nothing and what no record had are on stderr.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.commands import confirmation
from consumer.commands.events.stream_tip import StreamTip
from consumer.core.event.items.shapes import Shapes
from consumer.core.reports.record_preview import Previewer, summary
from consumer.core.routes.route_images import missing_images
from consumer.core.routes.sightings import Sightings
from consumer.core.stream.record import MalformedRecord
from consumer.core.stream.recording import NoRecording, described, read_recording
from consumer.core.stream.stream import ViewType
from consumer.credentials import fallback_region
from consumer.errors import Misconfigured, Retryable, Unreachable, first_in
from consumer.find_stream import check_ordering_key, find_stream
from consumer.observability import logs
from consumer.settings.loading import EVENT_TYPE, SOURCE, load_settings
from consumer.settings.routes import routes_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from consumer.core.stream.page import Page
    from consumer.core.stream.recording import RecordedRecord
    from consumer.core.stream.stream import StreamPage
    from consumer.settings.settings import Settings

CONNECTIONS = 20
SECONDS_MAX = 600
DENIED = "access_denied"
NO_STREAM = "arn:aws:dynamodb:::table/unknown/stream/unknown"
"""Stands for the stream of records that do not name theirs."""

_Source = tuple[str, tuple[str, ...], ViewType]
"""What decides how a record is read: the stream's ARN, the table's keys, the view type."""


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Show the records of `--records`, or those that `--live` reads; return 0.

    Raise Misconfigured for a route that is refused, and for what holds no records. Raise
    Unreachable.
    """
    settings = load_settings(
        environ, [EVENT_TYPE] if arguments.live is None else [EVENT_TYPE, SOURCE]
    )
    logs.configure_command()
    preview = Preview(settings, out, as_json=arguments.json)
    try:
        if arguments.live is None:
            preview.show_all(arguments.records)
        else:
            seconds = live_seconds(arguments.live)
            if not arguments.yes:
                confirm(seconds)
            asyncio.run(preview.show_live(seconds))
    except KeyboardInterrupt:
        preview.tell_notes()
        raise
    preview.tell_notes()
    return 0


class Preview:
    """Shows records. `notes` are what is to be said at the end."""

    def __init__(self, settings: Settings, out: TextIO, *, as_json: bool) -> None:
        self._settings = settings
        self._out = out
        self._as_json = as_json
        self._notes: list[str] = []
        self._knows_keys = False  # that is, which of them is the partition key
        self._shapes = Shapes()
        self._sightings = Sightings(routes_of(settings, ()))
        self._previewers: dict[_Source, Previewer] = {}

    def show_all(self, path: str) -> None:
        """Show the records of a file, or of stdin. Raise Misconfigured."""
        try:
            if path == "-":
                self._show_lines(sys.stdin.buffer)
            else:
                with Path(path).open("rb") as lines:
                    self._show_lines(lines)
        except NoRecording as error:
            raise Misconfigured(
                f"--records: {error}; wanted stream records, one a line, or the event of a Lambda"
                " function"
            ) from None
        except OSError as error:
            reason = error.strerror or "unreadable"
            raise Misconfigured(
                f"--records: found {path!r} ({reason}), wanted a readable file"
            ) from None

    async def show_live(self, seconds: float) -> None:
        """Show what is written meanwhile. Raise Misconfigured, Unreachable."""
        async with Aws(fallback_region(self._settings)) as aws:
            client = DynamoDbStreams(
                await aws.streams(CONNECTIONS), await aws.dynamodb(CONNECTIONS), SystemClock()
            )
            try:
                page = (await find_stream(self._settings, client)).page
                check_ordering_key(self._settings, page)
                self._knows_keys = True
                tip = StreamTip(client, page, lambda found: self._show_page(page, found), _begin)
                await tip.read(seconds)
            except Retryable as error:
                raise Unreachable(f"the stream could not be read: {error}") from error
            except BaseExceptionGroup as group:  # the reader of our output has left
                raise first_in(group, BrokenPipeError) or group from None
        if tip.failures:
            told = told_of(tip)
            if not tip.pages:
                raise Unreachable(f"the stream could not be read: {told}")
            self._notes.append(f"calls that failed, and were tried again: {told}")

    def tell_notes(self) -> None:
        """Write what is to be looked at to stderr."""
        self._out.flush()
        for note in (*self._notes, *summary(self._sightings)):
            sys.stderr.write(f"note: {note}\n")

    def _show_lines(self, lines: Iterable[bytes]) -> None:
        for recorded in read_recording(lines):
            self._show(recorded, self._source(recorded))

    def _show_page(self, stream: StreamPage, page: Page) -> None:
        source = (stream.stream.arn, stream.key_attributes, stream.view_type)
        for record in page.records:
            self._show(described(record), source)
        self._out.flush()

    def _source(self, recorded: RecordedRecord) -> _Source:
        arn = recorded.stream_arn or self._settings.stream_arn
        if arn is None:
            note = (
                "records do not name their stream: each eid and change.stream are other ones than"
                " the service's; set CONSUMER_STREAM_ARN"
            )
            self._note(note)
        view_type = recorded.view_type or ViewType.NEW_AND_OLD_IMAGES
        return arn or NO_STREAM, recorded.key_names, view_type

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)

    def _show(self, recorded: RecordedRecord, source: _Source) -> None:
        previewer = self._previewers.get(source)
        if previewer is None:
            previewer = self._previewers[source] = self._previewer(*source)
        shown = previewer.preview(recorded)
        record = recorded.record
        if self._as_json:
            self._out.write(f"{shown.as_json()}\n")
        else:
            name = "record" if isinstance(record, MalformedRecord) else record.event_name
            self._out.write(shown.as_text(name))

    def _previewer(self, arn: str, keys: tuple[str, ...], view_type: ViewType) -> Previewer:
        routes = routes_of(self._settings, keys, view_type)
        for route, as_set in zip(routes, routes_of(self._settings, ()), strict=True):
            missing = missing_images(route, view_type)
            if missing is not None:
                raise Misconfigured(f"the records have view type {view_type}: {missing}")
            chosen = route.format.ordering_key
            if keys and not set(chosen) <= set(keys):
                raise Misconfigured(
                    f"{route.setting('ordering_key')}: found {','.join(chosen)!r}, wanted"
                    f" attributes of the table's primary key ({', '.join(keys)})"
                )
            given = as_set.format.ordering_key
            if len(given) == 1 < len(keys) and not self._knows_keys:
                self._note(
                    f"records do not say which of {', '.join(sorted(keys))} is the partition key:"
                    f" unless it is {given[0]}, the service refuses"
                    f" {route.setting('ordering_key')}"
                )
        return Previewer.of(routes, arn, self._shapes, self._sightings)


def _begin(shards: int) -> None:
    """Say from when on changes are shown."""
    sys.stderr.write(f"note: reading {shards} shards\n")
    sys.stderr.flush()


def told_of(tip: StreamTip) -> str:
    """Return how often calls failed, by the reason, with the last call of each."""
    lines = [
        f"{reason} {count} ({tip.last[reason]})" for reason, count in sorted(tip.failures.items())
    ]
    if DENIED in tip.failures:
        lines.append("`consumer iam-policy --for preview` prints what must be allowed")
    return "; ".join(lines)


def live_seconds(text: str) -> int:
    """Return the seconds of `--live`. Raise Misconfigured."""
    if text.isascii() and text.isdigit() and len(text) < 5 and 0 < int(text) <= SECONDS_MAX:
        return int(text)
    raise Misconfigured(f"--live: found {text!r}, wanted seconds from 1 to {SECONDS_MAX}")


def confirm(seconds: int) -> None:
    """Ask before the stream is read. Raise Misconfigured without a yes."""
    confirmation.confirm(
        f"This reads the stream for {seconds} s. DynamoDB lets two readers read a shard: if there"
        " are two already, such as this service and a Lambda function, all are throttled.\n",
        to="read the stream",
        done="read",
    )
