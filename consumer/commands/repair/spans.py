"""Of which time a repair is: that of gaps, of two times, or of an export that exists."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from consumer.commands.operate.gaps import read_gaps
from consumer.commands.operate.lease_reading import open_lease_table
from consumer.core.leases.lease import SEEK
from consumer.core.repair.gap_name import UnknownGap, gap_named
from consumer.core.reports.times import iso, zoned_time
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Gap
    from consumer.settings.settings import Settings

ALL: Final = "all"
"""Stands for every gap that is not repaired, but for those of an operator's seek."""


class Span(Struct, frozen=True):
    """What was changed from `since` to `until` (epoch seconds) is to be published again.

    `gap` is the one that it is of, with the key of its stream; None if it is of none.
    """

    title: str
    since: float
    until: float
    gap: tuple[str, Gap] | None = None


def spans_of(arguments: argparse.Namespace, settings: Settings, wall: float) -> list[Span]:
    """Return what is to be repaired, the oldest first; empty if only --export says it.

    Raise Misconfigured with one line.
    """
    times = (arguments.from_time, arguments.to_time)
    given = bool(arguments.gap) + any(each is not None for each in times)
    if given > 1 or (given == 0 and arguments.export is None):
        found = "both" if given else "neither"
        raise Misconfigured(f"--gap, or --from and --to: found {found}, wanted one of them")
    if arguments.export is None and arguments.bucket is None:
        raise Misconfigured("--bucket: found nothing, wanted the bucket for the exports")
    if arguments.gap:
        return _of_gaps(asyncio.run(_gaps(settings)), arguments.gap)
    return [] if given == 0 else [_of_times(*times, wall)]


async def _gaps(settings: Settings) -> dict[str, Sequence[Gap]]:
    async with open_lease_table(settings) as store:
        return await read_gaps(store)


def _of_gaps(gaps: Mapping[str, Sequence[Gap]], names: Sequence[str]) -> list[Span]:
    try:
        found = [] if ALL in names else [gap_named(gaps, name) for name in names]
    except UnknownGap as error:
        raise Misconfigured(str(error)) from None
    if ALL in names:
        found = [
            (key, gap)
            for key, of_stream in gaps.items()
            for gap in of_stream
            if gap.repaired_at is None and gap.reason != SEEK
        ]
        if not found:
            raise Misconfigured("--gap all: there is no gap that is not repaired")
    spans = [
        Span(f"gap {key}/{gap.shard_id}/{gap.from_}", *gap.changed_between, (key, gap))
        for key, gap in found
    ]
    return sorted(spans, key=lambda span: span.since)


def _of_times(since: str | None, until: str | None, wall: float) -> Span:
    begin, end = _time("--from", since), _time("--to", until)
    if end <= begin:
        raise Misconfigured(f"--to: found {until}, wanted a time after {since}")
    if end > wall:
        raise Misconfigured(f"--to: found {until}, wanted a time in the past")
    return Span(f"{iso(begin)} to {iso(end)}", begin, end)


def _time(option: str, text: str | None) -> float:
    found = zoned_time(text or "")
    if found is None:
        given = "nothing" if text is None else repr(text)
        raise Misconfigured(
            f"{option}: found {given}, wanted a time with its zone, like 2026-11-01T09:30:00Z"
        )
    return found
