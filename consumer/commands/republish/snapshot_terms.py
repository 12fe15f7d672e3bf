"""What the options of a snapshot say, and the terms on which its processes agree."""

from __future__ import annotations

import json
import re
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from consumer.commands.republish.republishing import Rates, filter_of, number, run_id
from consumer.core.republish.estimate import default_segments
from consumer.core.republish.snapshot import MAX_SEGMENTS, Mode, Snapshot, Terms
from consumer.core.republish.taking_part import taking_part
from consumer.errors import Misconfigured
from consumer.runtime.republish.two_reads import APART_SECONDS
from consumer.settings.given import collect
from consumer.settings.settings import Settings
from consumer.settings.source import ROUTES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from consumer.commands.republish.republishing import Reach
    from consumer.core.routes.filters.lambda_filter import Filter

ID = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""An id is a part of the keys of rows."""

_OF_ROUTES = (ROUTES, "only", "include", "exclude", "changed")
"""Settings that say, beside the format of events, what a route takes and shows."""


class SnapshotOptions(Struct, frozen=True):
    """The options. `segments` is None if they do not say how many."""

    id: str
    segments: int | None
    filter: Filter | None
    filter_text: str | None
    mode: Mode
    apart: float
    rates: Rates
    again: bool
    anyway: bool
    without_service: bool

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> SnapshotOptions:
        """Return those of the command line. Raise Misconfigured."""
        apart = number("--settle", arguments.settle)
        if apart is not None and not arguments.repair:
            raise Misconfigured("--settle: found it without --repair, which reads twice")
        if apart is not None and apart < APART_SECONDS:
            raise Misconfigured(
                f"--settle: found {arguments.settle}, wanted at least {APART_SECONDS:g} seconds"
            )
        if arguments.count and not arguments.dry_run:
            raise Misconfigured("--count: found it without --dry-run, which publishes nothing")
        if arguments.again and arguments.id is None:
            raise Misconfigured("--again: found it without --id, which says what is begun anew")
        return cls(
            _id(arguments.id),
            _segments(arguments.segments),
            filter_of(arguments.filter),
            None if arguments.filter is None else arguments.filter.strip(),
            Mode.TWICE if arguments.repair else Mode.ONCE,
            apart or APART_SECONDS,
            Rates.of(arguments),
            arguments.again,
            arguments.anyway,
            arguments.without_service,
        )

    def check(self, reach: Reach) -> None:
        """Raise Misconfigured if the filter can match no item."""
        if self.filter is None:
            return
        route = replace(reach.participation.taking[0], filter=self.filter)
        never = taking_part((route,), (), reach.run.stream.arn, removes=False).others
        if never:
            raise Misconfigured(f"--filter: {never[0][1]}")

    def snapshot(self, reach: Reach, environ: Mapping[str, str], wall: float) -> Snapshot:
        """Return the row of the snapshot, if it is begun at `wall` (epoch seconds)."""
        routes = tuple(route.event_type for route in reach.participation.taking)
        label = reach.settings.stream_prefix + reach.run.stream.label
        terms = Terms(
            self.segments or default_segments(reach.table.size_bytes),
            self.filter_text,
            routes,
            _fingerprint(reach, environ),
            label,
            self.mode,
        )
        return Snapshot(reach.table.name, self.id, secrets.token_hex(8), terms, wall)


def _fingerprint(reach: Reach, environ: Mapping[str, str]) -> str:
    """Return what changes with all that decides which events are made, and what they show."""
    given = collect(environ, Settings.model_fields)
    settings = [repr(given[name].tree) + given[name].text for name in _OF_ROUTES if name in given]
    rules = [route.rules for route in reach.participation.taking]
    return sha256(json.dumps([settings, rules]).encode()).hexdigest()[:32]


def _id(text: str | None) -> str:
    if text is None:
        return run_id("snapshot")
    if not ID.fullmatch(text):
        raise Misconfigured(
            f"--id: found {text!r}, wanted 1 to 100 letters, digits, or one of . _ -"
        )
    return text


def _segments(text: str | None) -> int | None:
    found = number("--segments", text)
    if found is not None and not (found.is_integer() and found <= MAX_SEGMENTS):
        raise Misconfigured(
            f"--segments: found {text}, wanted a whole number from 1 to {MAX_SEGMENTS}"
        )
    return None if found is None else int(found)
