"""Faults in what follows from facts about the table and its newest stream."""

from collections.abc import Sequence

from msgspec.structs import replace

from consumer.core.leases.lease import StreamRow
from consumer.core.stream.stream import Stream, StreamPage
from consumer.errors import Misconfigured, TableNotFound
from consumer.runtime.discovery import discovery
from consumer.runtime.discovery.known_streams import KnownStreams
from consumer.runtime.discovery.source import Source
from consumer.runtime.discovery.successor import Successors
from consumer.runtime.discovery.unread_streams import UnreadStreams
from consumer.runtime.leases.stream_leases import StreamLeases
from tests.simulation.mutants.plant import plant


def deleted_table_ends_the_worker() -> None:
    original = Successors.find

    async def find(self: Successors, rows: Sequence[StreamRow], row: StreamRow) -> Stream | None:
        try:
            await self._streams.latest_stream(row.table)
        except TableNotFound as error:
            raise Misconfigured(str(error)) from None
        return await original(self, rows, row)

    plant(Successors, "find", find)


def unfit_stream_ends_the_worker() -> None:
    def check_view_type(source: Source, _row: object, page: StreamPage, _leases: object) -> None:
        if page.view_type not in source.view_types:
            raise Misconfigured(page.view_type)

    plant(discovery, "check_view_type", check_view_type)


def unfit_stream_passed_by_in_silence() -> None:
    async def record(_self: UnreadStreams, *_told: object) -> None:
        return

    plant(UnreadStreams, "_record", record)


def hole_between_streams_untold() -> None:
    async def note_holes(_self: UnreadStreams, _claim: object) -> None:
        return

    plant(UnreadStreams, "note_holes", note_holes)


def unfit_stream_passed_by_before_its_turn() -> None:
    original = StreamLeases.known

    def known(self: StreamLeases) -> KnownStreams:
        found = original(self)
        return replace(found, may_be_read=frozenset(found.leases))

    plant(StreamLeases, "known", known)


def unfit_stream_is_waited_for() -> None:
    async def pass_by(_self: UnreadStreams, _claim: object, _began_at: float) -> None:
        return

    plant(UnreadStreams, "pass_by", pass_by)
