"""What `consumer check` says of the event source mapping that feeds the relay in Lambda.

Rules (of Lambda)
- Without ReportBatchItemFailures the answer of a function is ignored: a batch is settled unless the
  function raises.
- With a ParallelizationFactor above 1 records of one item stay in order, and nothing else does.
- A new mapping that starts at LATEST may miss changes while it is made or updated.
- BisectBatchOnFunctionError halves a batch each time when the function raises. A batch that is
  answered in part is only cut at the record that the answer names.
- Weights of an alias send batches to two versions at the same time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from consumer.core.leases.checkpoint import LATEST
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.preflight.event_source_mapping import (
    ENABLED,
    LATEST_VERSION,
    QUEUE,
    STREAM,
    function_of,
)
from consumer.core.preflight.mapping_losses import DEPENDENCY, judge_losses
from consumer.core.preflight.queue_mapping import judge_queue_mapping
from consumer.core.preflight.route_check import of_route
from consumer.core.routes.filters.lambda_filter import read_filter_json
from consumer.core.routes.language.bad_pattern import BadPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.core.preflight.event_source_mapping import EventSourceMapping, LambdaTerms
    from consumer.core.routes.route import Route


LONG_WINDOW: Final = 60

_CHANGING: Final = frozenset({"Creating", "Enabling", "Updating"})
_FINE_RESULTS: Final = frozenset({"", "OK", "No records processed"})

_fine = partial(CheckResult, DEPENDENCY, Severity.FINE)
_doubtful = partial(CheckResult, DEPENDENCY, Severity.DOUBTFUL)
_wrong = partial(CheckResult, DEPENDENCY, Severity.WRONG)


def judge_mapping(mapping: EventSourceMapping, terms: LambdaTerms) -> list[CheckResult]:
    """Return a line for each thing that a mapping must have, and what to do about the others."""
    if QUEUE.fullmatch(mapping.source):
        found = judge_queue_mapping(
            mapping, terms.letter_queue, accepted=terms.redrive_by_mapping, in_part=terms.partial
        )
        return [*found, *_both(mapping)]
    return [
        *_source(mapping, terms),
        *_answers(mapping, terms),
        *judge_losses(mapping, terms),
        *_order(mapping, terms),
        *_filters(mapping),
        *_start(mapping, terms),
        *_batches(mapping),
        *_both(mapping),
    ]


def _source(mapping: EventSourceMapping, terms: LambdaTerms) -> Iterator[CheckResult]:
    stream = STREAM.fullmatch(mapping.source)
    if stream is None:
        yield _wrong(
            f"its source is {mapping.source}",
            "map the stream of a DynamoDB table, or for redrive an SQS queue",
        )
    elif terms.stream_arn not in (None, mapping.source):
        yield _wrong(
            f"it reads {mapping.source}, and CONSUMER_STREAM_ARN is {terms.stream_arn}:"
            " the function raises",
            "a mapping keeps its stream: make a new one, or correct CONSUMER_STREAM_ARN",
        )
    elif terms.table not in (None, stream["table"]):
        yield _wrong(
            f"it reads the table {stream['table']}, and CONSUMER_TABLE is {terms.table}:"
            " the function raises",
            "a mapping keeps its stream: make a new one, or correct CONSUMER_TABLE",
        )
    else:
        yield _fine(mapping.source)


def _answers(mapping: EventSourceMapping, terms: LambdaTerms) -> Iterator[CheckResult]:
    both = (
        "set FunctionResponseTypes to ReportBatchItemFailures, and only then"
        " CONSUMER_LAMBDA_PARTIAL=true"
    )
    if mapping.reports and terms.partial:
        yield _fine("ReportBatchItemFailures, and CONSUMER_LAMBDA_PARTIAL is true")
    elif terms.partial:
        yield _wrong(
            "without ReportBatchItemFailures it ignores the answer, and CONSUMER_LAMBDA_PARTIAL is"
            " true: what an answer names as unsettled is lost",
            "set FunctionResponseTypes to ReportBatchItemFailures, or CONSUMER_LAMBDA_PARTIAL=false"
            " at once",
        )
    else:
        yield _doubtful(
            "CONSUMER_LAMBDA_PARTIAL is false: the function raises for what is unsettled, and the"
            " whole batch is repeated",
            both if not mapping.reports else "set CONSUMER_LAMBDA_PARTIAL=true",
        )
    if mapping.bisects and not (mapping.reports and terms.partial):
        yield _doubtful(
            "BisectBatchOnFunctionError, and an outage raises: it cuts the backlog into single"
            " records",
            f"set BisectBatchOnFunctionError to false, or {both}",
        )
    elif not mapping.bisects and mapping.reports and terms.partial:
        yield _doubtful(
            "without BisectBatchOnFunctionError a batch that ends the process, by its time or"
            " memory, is repeated whole until it is too old",
            "set BisectBatchOnFunctionError to true",
        )


def _order(mapping: EventSourceMapping, terms: LambdaTerms) -> Iterator[CheckResult]:
    if mapping.lanes == 1:
        yield _fine("ParallelizationFactor 1")
        return
    for route in terms.routes:
        yield from of_route(route, [_order_of(route, mapping.lanes)])


def _order_of(route: Route, lanes: int) -> CheckResult:
    key = route.format.ordering_key
    if len(key) > 1:  # a table's key has two attributes at most
        return _fine(f"{lanes} lanes, in order by {', '.join(key)}")
    named = key[0] if key else "the partition key"
    return _doubtful(
        f"ParallelizationFactor {lanes} keeps order by item, and the ordering key is {named}:"
        " right only if the table has no sort key",
        f"set ParallelizationFactor to 1, or {route.setting('ordering_key')} to the table's whole"
        " key",
    )


def _filters(mapping: EventSourceMapping) -> Iterator[CheckResult]:
    if mapping.hidden_filters:
        yield _doubtful(
            "its FilterCriteria are encrypted, and were not shown",
            "print the mapping as somebody who may use their key",
        )
    if mapping.filters is None:
        return
    try:
        by_keys = read_filter_json(mapping.filters).is_by_keys
    except BadPattern as error:
        yield _wrong(f"its FilterCriteria: {error}", "correct the filter")
        return
    if by_keys:
        yield _fine("FilterCriteria by keys")
    else:
        yield _wrong(
            "its FilterCriteria ask for more than keys: a view is never told of what leaves it, and"
            " the events of an item have holes",
            "ask for dynamodb.Keys only; other filters belong to the routes",
        )


def _start(mapping: EventSourceMapping, terms: LambdaTerms) -> Iterator[CheckResult]:
    if mapping.start == LATEST:
        yield _wrong(
            "it started at LATEST: changes may be missed while it is made or updated",
            "make a new mapping at TRIM_HORIZON, with a time as CONSUMER_START",
        )
    if terms.start == LATEST:
        yield _wrong(
            "CONSUMER_START is latest, which no mapping knows: the function raises",
            "set a time: older changes are passed over",
        )


def _batches(mapping: EventSourceMapping) -> Iterator[CheckResult]:
    what = f"batches of up to {mapping.batch_size}, gathered for {mapping.window} s"
    if mapping.window > LONG_WINDOW:
        yield _doubtful(what, "set MaximumBatchingWindowInSeconds to what may be late")
    else:
        yield _fine(what)
    if mapping.tumbling_window:
        yield _wrong(
            "a tumbling window calls the function without records, which raises",
            "set TumblingWindowInSeconds to 0",
        )
    if not mapping.counts_events:
        yield _doubtful(
            "it does not count events: what it throws away is no alarm",
            "set MetricsConfig to Metrics=EventCount",
        )


def _both(mapping: EventSourceMapping) -> Iterator[CheckResult]:
    """Yield what holds for streams and queues: the state, the last result, the version."""
    if mapping.state in _CHANGING:
        yield _doubtful(f"it is {mapping.state}", "look again when it is Enabled")
    elif mapping.state != ENABLED:
        yield _wrong(
            f"it is {mapping.state}: nothing is published, and no alarm of the function says so",
            "enable it before what it reads is deleted: a stream's changes after 24 hours",
        )
    if mapping.last_result not in _FINE_RESULTS:
        yield _doubtful(f"its last result: {mapping.last_result}", "look at the logs")
    _, qualifier = function_of(mapping.function)
    if qualifier and qualifier != LATEST_VERSION and not qualifier.isdecimal():
        yield _doubtful(
            f"it calls the alias {qualifier}: with weights two versions would send side by side",
            "see that `aws lambda get-alias` shows no RoutingConfig",
        )
