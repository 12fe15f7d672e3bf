"""What `consumer check` says of what a mapping throws away, and where that goes.

Rules (of Lambda)
- What is past its attempts or its age is thrown away. Only an S3 destination gets the records; one
  of SQS or SNS gets their sequence numbers. What the stream itself trims after 24 hours is in no
  metric of the mapping.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.preflight.event_source_mapping import QUEUE, UNLIMITED
from consumer.core.preflight.route_check import of_route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.core.preflight.event_source_mapping import EventSourceMapping, LambdaTerms
    from consumer.core.routes.route import Route

DEPENDENCY: Final = "mapping"

RECORD_AGE: Final = 82_800
"""MaximumRecordAgeInSeconds of the template: an hour is left to write to S3, before the trim."""

LETTER_AGE: Final = 72_000
"""CONSUMER_MAX_RECORD_AGE_SECONDS of the template."""

AGES_APART: Final = 3600
"""Seconds in which letters are made before Lambda throws a record away; less may not do."""

TRIM_SECONDS: Final = 86_400

_fine = partial(CheckResult, DEPENDENCY, Severity.FINE)
_doubtful = partial(CheckResult, DEPENDENCY, Severity.DOUBTFUL)
_wrong = partial(CheckResult, DEPENDENCY, Severity.WRONG)


def judge_losses(mapping: EventSourceMapping, terms: LambdaTerms) -> list[CheckResult]:
    """Return a line for attempts, for the ages of each route, and for the destination."""
    return [*_attempts(mapping), *_ages(mapping, terms), *_destination(mapping, terms)]


def _attempts(mapping: EventSourceMapping) -> Iterator[CheckResult]:
    if mapping.attempts == UNLIMITED:
        yield _fine("it repeats a batch until its records are too old")
    else:
        yield _wrong(
            f"it throws a batch away after {mapping.attempts} more attempts, which an outage of"
            " Nakadi uses up",
            "set MaximumRetryAttempts to -1",
        )


def _ages(mapping: EventSourceMapping, terms: LambdaTerms) -> Iterator[CheckResult]:
    age = mapping.record_age
    if age == UNLIMITED or age >= TRIM_SECONDS:
        yield _wrong(
            "it keeps a record until the stream trims it, after 24 hours: what is lost then is in"
            " no metric and nowhere else",
            f"set MaximumRecordAgeInSeconds to {RECORD_AGE}, with an S3 destination",
        )
        return
    if age > RECORD_AGE:
        yield _doubtful(
            f"it throws a record away after {age} s, less than an hour before the stream trims it:"
            " what Lambda is late for is nowhere",
            f"set MaximumRecordAgeInSeconds to {RECORD_AGE}",
        )
    for route in terms.routes:
        yield from of_route(route, _age_of_route(age, route))


def _age_of_route(age: int, route: Route) -> Iterator[CheckResult]:
    letters, setting = route.limits.max_record_age, route.setting("max_record_age_seconds")
    if letters is None:
        enough = age - LETTER_AGE >= AGES_APART
        yield _doubtful(
            f"after {age} s Lambda throws changes away that would be letters: there is no"
            f" {setting}",
            f"set {setting} to {LETTER_AGE}"
            + ("" if enough else f", and MaximumRecordAgeInSeconds to {RECORD_AGE}"),
        )
    elif letters >= age:
        yield _wrong(
            f"Lambda throws changes away after {age} s, before they are letters after"
            f" {letters:g} s",
            f"set MaximumRecordAgeInSeconds to {RECORD_AGE}, and {setting} to {LETTER_AGE}",
        )
    elif letters > age - AGES_APART:
        yield _doubtful(
            f"between letters ({letters:g} s) and the end of a record ({age} s) is less than an"
            " hour",
            f"set MaximumRecordAgeInSeconds to {RECORD_AGE}, and {setting} to {LETTER_AGE}",
        )
    else:
        yield _fine(f"letters after {letters:g} s, thrown away after {age} s")


def _destination(mapping: EventSourceMapping, terms: LambdaTerms) -> Iterator[CheckResult]:
    found, remedy = mapping.destination, "set an S3 bucket as the destination of OnFailure"
    queue = None if found is None else QUEUE.fullmatch(found)
    if found is None:
        yield _wrong("it has no destination: what it throws away is gone", remedy)
    elif found.split(":")[2:3] == ["s3"]:
        yield _fine(f"what it throws away goes to {found}")
    elif queue is not None and queue["name"] == _name(terms.letter_queue):
        yield _wrong(
            "its destination is the dead letter queue, whose messages redrive then cannot read",
            remedy,
        )
    else:
        yield _wrong(
            f"its destination {found} gets sequence numbers only: what it throws away is gone",
            remedy,
        )
    if terms.letter_queue is None:
        yield _doubtful(
            "there is no dead letter queue: an event that Nakadi refuses holds its lane until it"
            " is thrown away",
            "set CONSUMER_DEAD_LETTER_QUEUE_URL",
        )


def _name(queue_url: str | None) -> str | None:
    return None if queue_url is None else queue_url.rpartition("/")[2]
