"""A redrive as a function of Lambda: the command, with its options in the event, on a schedule.

It ends before its invocation does. What is left then stays in the queue for the next run.
"""

from __future__ import annotations

import argparse
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.queue.dead_letter_source import SqsDeadLetterSource
from consumer.adapters.clock import SystemClock
from consumer.commands.events.redrive import job_of, summary
from consumer.commands.publishing import nakadis
from consumer.core.invocation.queue_batch import read_messages
from consumer.core.invocation.sending_time import LEAST_SECONDS
from consumer.credentials import fallback_region
from consumer.errors import Misconfigured
from consumer.runtime.cancellation import ending_group
from consumer.runtime.redrive.handed_messages import HandedMessages
from consumer.runtime.redrive.redrive import Redrive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.core.reports.runs.redrive_report import RedriveReport
    from consumer.ports import DeadLetterSource, Publisher
    from consumer.runtime.redrive.redrive import RedriveJob
    from consumer.settings.settings import Settings

_OPTIONS: Final[Mapping[str, tuple[type, object]]] = {
    "since": (str, None),
    "reason": (list, []),
    "key": (str, None),
    "max_messages": (int, None),
    "as_made": (bool, False),
    "dry_run": (bool, False),
}
"""The options that an event may have, with their type and default."""

_WORDS: Final = {str: "text", list: "a list of texts", int: "a number", bool: "true or false"}


class RedriveFailed(Exception):
    """Letters were refused again, or the run ended early. The text is the command's summary."""


def options_of(event: object) -> argparse.Namespace:
    """Return the options of an event, which are those of the command. Raise Misconfigured."""
    if not isinstance(event, dict):
        raise Misconfigured("the event: wanted an object with options of redrive, or an empty one")
    for name, value in event.items():
        if name not in _OPTIONS:
            raise Misconfigured(f"the event: found {name!r}, wanted {', '.join(_OPTIONS)}")
        kind = _OPTIONS[name][0]
        texts = not isinstance(value, list) or all(isinstance(each, str) for each in value)
        if type(value) is not kind or not texts:
            raise Misconfigured(f"the event: {name}: wanted {_WORDS[kind]}")
    given = {name: event.get(name, default) for name, (_, default) in _OPTIONS.items()}
    most = given["max_messages"]
    return argparse.Namespace(**{**given, "max_messages": None if most is None else str(most)})


async def redrive(settings: Settings, event: object, remaining: float) -> Mapping[str, object]:
    """Publish letters again, while the invocation lasts; `remaining` is in seconds.

    Return the report or, where a mapping has handed over the messages, which of them are not
    accepted. Raise RedriveFailed if the command would have another exit code than 0, or if the
    mapping would not hear which messages failed. Raise Misconfigured.
    """
    messages = read_messages(event)
    job = job_of(settings, options_of({} if messages is not None else event))
    lasts = remaining - settings.publish_timeout_seconds - LEAST_SECONDS
    if lasts <= 0:
        raise Misconfigured(
            "the function's time limit is too short: wanted CONSUMER_PUBLISH_TIMEOUT_SECONDS and"
            f" more than {LEAST_SECONDS:g} s"
        )
    if messages is None:
        return _told(await _redrive(settings, job, lasts, None))
    handed = HandedMessages(messages)
    report = await _redrive(settings, job, lasts, handed)
    if handed.kept and not settings.lambda_partial:
        raise RedriveFailed(_text(report))
    return {"batchItemFailures": [{"itemIdentifier": name} for name in handed.kept]}


def _told(report: RedriveReport) -> Mapping[str, object]:
    if report.exit_code:
        raise RedriveFailed(_text(report))
    return {
        "received": report.received,
        "outcomes": {outcome.value: count for outcome, count in report.outcomes.items()},
        "summary": [*summary(report)],
    }


def _text(report: RedriveReport) -> str:
    return "; ".join(line.strip() for line in summary(report))


async def _redrive(
    settings: Settings, job: RedriveJob, lasts: float, handed: HandedMessages | None
) -> RedriveReport:
    """Run it for at most `lasts` seconds. Its clients are opened and closed in that time."""
    clock = SystemClock()
    stops_at = clock.now() + lasts
    chance = random.Random()  # noqa: S311 - spreads retries, guards no secret
    async with Aws(fallback_region(settings)) as aws, AsyncExitStack() as stack:
        publishers: dict[str, Publisher] = {
            **await nakadis(stack, settings, job.routes, clock, aws)
        }
        source: DeadLetterSource | None = handed
        if source is None:
            source = SqsDeadLetterSource(await aws.sqs(), str(settings.dead_letter_queue_url))
        run = Redrive(source, publishers, clock, chance, job, lambda _: None)

        async def stop() -> None:
            await clock.sleep(stops_at - clock.now())
            run.stop()

        async with ending_group() as tasks:
            tasks.create_task(stop())
            return await run.run()
