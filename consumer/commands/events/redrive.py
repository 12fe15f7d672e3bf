"""`consumer redrive`: publishes the letters in the dead letter queue again. A CronJob may run it.

Answers of Nakadi are treated as in the service, but a refused letter stays in the queue. A letter
of which still no event can be made is counted apart and does not make the run fail.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.queue.dead_letter_source import SqsDeadLetterSource
from consumer.adapters.clock import SystemClock
from consumer.commands.columns import columns
from consumer.commands.events.redrive_list import RedriveList
from consumer.commands.events.redrive_progress import RedriveProgress
from consumer.commands.publishing import nakadis, stop_on_signals
from consumer.commands.source_table import table_of
from consumer.core.dead_letters.dead_letter import REASONS
from consumer.core.dead_letters.redrive import RedriveOutcome, Selection
from consumer.core.reports.times import zoned_time
from consumer.credentials import fallback_region
from consumer.errors import Misconfigured
from consumer.observability import logs
from consumer.runtime.redrive.redrive import Redrive, RedriveJob
from consumer.settings.loading import DEAD_LETTER_QUEUE, EVENT_TYPE, NAKADI, load_settings
from consumer.settings.routes import routes_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

    from consumer.core.reports.runs.redrive_report import RedriveReport
    from consumer.ports import Publisher
    from consumer.settings.settings import Settings

AGO = re.compile(r"([0-9]{1,6})([smhd])")
AGO_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

MEANINGS = {
    RedriveOutcome.ACCEPTED: "stored by Nakadi, deleted from the queue",
    RedriveOutcome.REFUSED: "refused again; they stay in the queue",
    RedriveOutcome.UNBUILDABLE: (
        "no event can be made of their stream record with these settings; they stay"
    ),
    RedriveOutcome.INCOMPLETE: (
        "they were shortened too much, for the queue's limit, or their record was not to be kept;"
        " they stay"
    ),
    RedriveOutcome.UNWANTED: "their record can be read now, and no route takes it; they stay",
    RedriveOutcome.OTHER_RULES: (
        "their route shows something else today, and they have no record to make an event of; they"
        " stay, and --as-made publishes them as they are"
    ),
    RedriveOutcome.UNSENT: "nothing more was sent to their event type; they stay",
    RedriveOutcome.FOREIGN: "not dead letters of these event types; they stay",
    RedriveOutcome.FILTERED: "left out by the options; they stay",
}


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Run it, write a summary to `out` and return the report's exit code. Raises Misconfigured."""
    _check_list(arguments)
    settings = load_settings(environ, [EVENT_TYPE, NAKADI, DEAD_LETTER_QUEUE])
    job = job_of(settings, arguments)
    logs.configure_command()
    listing = (
        RedriveList(
            out,
            time.time,
            as_json=arguments.json,
            show_keys=arguments.show_keys,
            show_routes=len(job.routes) > 1,
        )
        if arguments.list
        else None
    )
    report = asyncio.run(_redrive(settings, job, listing))
    if job.dry_run and listing is None:
        out.write(columns([("reason", "event type", "letters", "to publish"), *_rows(report)]))
    notes = sys.stderr if arguments.json else out  # JSON is for programs: nothing else is there
    notes.write("".join(f"{line}\n" for line in summary(report)))
    return report.exit_code


def job_of(settings: Settings, arguments: argparse.Namespace) -> RedriveJob:
    """Return what is to be done, by the options that say which letters. Raises Misconfigured."""
    return RedriveJob(
        routes=routes_of(settings, ()),
        request=settings.publish_timeout_seconds,
        table=table_of(settings),
        as_made=arguments.as_made,
        selection=Selection(
            since=None if arguments.since is None else since(arguments.since, time.time()),
            reasons=known(arguments.reason),
            key=arguments.key,
        ),
        max_messages=sys.maxsize if arguments.max_messages is None
        else positive(arguments.max_messages),
        dry_run=arguments.dry_run,
    )  # fmt: skip


def _check_list(arguments: argparse.Namespace) -> None:
    """Raise Misconfigured if an option of the list is given without the list."""
    if arguments.list and not arguments.dry_run:
        raise Misconfigured("--list: found it without --dry-run, which lists and publishes nothing")
    for option, given in (("--json", arguments.json), ("--show-keys", arguments.show_keys)):
        if given and not arguments.list:
            raise Misconfigured(f"{option}: found it without --list, whose lines it changes")


async def _redrive(
    settings: Settings, job: RedriveJob, listing: RedriveList | None
) -> RedriveReport:
    clock = SystemClock()
    chance = random.Random()  # noqa: S311 - spreads retries, guards no secret
    progress = RedriveProgress(sys.stderr, clock, job.max_messages)
    async with Aws(fallback_region(settings)) as aws, AsyncExitStack() as stack:
        publishers: dict[str, Publisher] = {
            **await nakadis(stack, settings, job.routes, clock, aws)
        }
        source = SqsDeadLetterSource(await aws.sqs(), str(settings.dead_letter_queue_url))
        if listing is None:
            redrive = Redrive(source, publishers, clock, chance, job, progress.show)
        else:
            show = listing.with_progress(progress.show)
            redrive = Redrive(source, publishers, clock, chance, job, show, listing.show)
        stop_on_signals(redrive.stop)
        report = await redrive.run()
        progress.close(report)
        return report


def positive(text: str) -> int:
    """Return the number of messages. Raises Misconfigured if it is not a number above 0."""
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise Misconfigured(f"--max-messages: found {text!r}, wanted a number above 0")
    return int(text[:9])


def known(reasons: Sequence[str]) -> frozenset[str]:
    """Return the reasons as a set. Raises Misconfigured for one that no letter can have."""
    for reason in reasons:
        if reason not in REASONS:
            raise Misconfigured(f"--reason: found {reason!r}, wanted one of {', '.join(REASONS)}")
    return frozenset(reasons)


def since(text: str, now: float) -> float:
    """Return a time in epoch seconds, given as such or as a duration before `now`.

    Raises Misconfigured if it is neither.
    """
    ago = AGO.fullmatch(text)
    if ago is not None:
        return now - int(ago[1]) * AGO_SECONDS[ago[2]]
    found = zoned_time(text)
    if found is None:
        raise Misconfigured(
            f"--since: found {text!r}, wanted a time with its zone like 2026-11-01T09:30:00Z,"
            " or how long ago, like 90m, 6h or 3d"
        )
    return found


def _rows(report: RedriveReport) -> Iterator[tuple[str, ...]]:
    for row, count in sorted(report.rows.items()):
        yield (*row, str(count), str(report.publishable[row]))


def summary(report: RedriveReport) -> Iterator[str]:
    """Yield the lines of the summary."""
    yield f"{report.received} messages received"
    for outcome, meaning in MEANINGS.items():
        if report.outcomes[outcome]:
            yield f"{outcome}: {report.outcomes[outcome]} ({meaning})"
            yield from _named(report, outcome)
    yield from _by_event_type(report)
    troubles = (
        ("sent again because an answer was lost", report.resent, "readers may see them twice"),
        ("accepted but not deleted", report.undeleted, "the next run publishes them again"),
        ("not settled", report.unsettled, "they stay in the queue"),
        (
            "hidden by somebody else",
            report.hidden,
            "by another reader, or a run that died; they come back",
        ),
    )
    for what, count, meaning in troubles:
        if count:
            yield f"{what}: {count} ({meaning})"
    if report.ended is not None:
        yield f"ended early: {report.ended}"


def _by_event_type(report: RedriveReport) -> Iterator[str]:
    """Yield a line for each event type, if letters of several were to be published."""
    if len(report.event_types) < 2:
        return
    for event_type, counts in sorted(report.event_types.items()):
        told = ", ".join(f"{outcome} {counts[outcome]}" for outcome in MEANINGS if counts[outcome])
        ended = report.ended_parts.get(event_type)
        yield f"{event_type}: {told}" + ("" if ended is None else f"; ended early: {ended}")


def _named(report: RedriveReport, outcome: RedriveOutcome) -> Iterator[str]:
    """Yield the details of one outcome; letters that were filtered out are not named."""
    if outcome is RedriveOutcome.REFUSED:
        for reason, count in sorted(report.refusals.items()):
            yield f"  {reason}: {count}"
    names = report.names.get(outcome, []) if outcome is not RedriveOutcome.FILTERED else []
    yield from (f"  {name}" for name in names)
    if names and report.outcomes[outcome] > len(names):
        yield f"  and {report.outcomes[outcome] - len(names)} more"
