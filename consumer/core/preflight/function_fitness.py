"""What `consumer check` says of the function that a mapping calls."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.preflight.event_source_mapping import LATEST_VERSION, QUEUE, function_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.core.preflight.event_source_mapping import (
        EventSourceMapping,
        FunctionConfiguration,
        LambdaTerms,
    )

DEPENDENCY: Final = "function"

ROOM_SECONDS: Final = 10
"""A function must have this much more than the longest request, for all beside the request."""

USUAL_TIMEOUT: Final = 120
"""The timeout of the template."""

VISIBILITY_TIMEOUTS: Final = 6
"""As many timeouts of its function a queue should hide a message, as AWS recommends it."""

OLDEST_PYTHON: Final = 11
LEAST_MEMORY: Final = 256

_PYTHON: Final = re.compile(r"python3\.(\d+)")
_OWN_RUNTIME: Final = "provided"
_TOKEN: Final = "CONSUMER_NAKADI_TOKEN"  # noqa: S105 - its name

_fine = partial(CheckResult, DEPENDENCY, Severity.FINE)
_doubtful = partial(CheckResult, DEPENDENCY, Severity.DOUBTFUL)
_wrong = partial(CheckResult, DEPENDENCY, Severity.WRONG)


def judge_function(
    function: FunctionConfiguration, mapping: EventSourceMapping, terms: LambdaTerms
) -> list[CheckResult]:
    """Return what the operator should know of the function that a mapping should call."""
    return list(_findings(function, mapping, terms.request))


def _findings(
    function: FunctionConfiguration, mapping: EventSourceMapping, request: float
) -> Iterator[CheckResult]:
    ours, theirs = function_of(function.arn), function_of(mapping.function)
    if ours[0] != theirs[0]:
        yield _wrong(
            f"the mapping calls {mapping.function}, and this is {function.arn}",
            "print the configuration of the function that the mapping names",
        )
    elif theirs[1] not in ("", LATEST_VERSION) and ours[1] in ("", LATEST_VERSION):
        yield _doubtful(
            f"the mapping calls its version or alias {theirs[1]}, and this is"
            f" {LATEST_VERSION}, whose settings may be others",
            f"print its configuration with --qualifier {theirs[1]}",
        )
    else:
        yield _fine(function.arn)
    if function.timeout < request + ROOM_SECONDS:
        yield _wrong(
            f"its timeout of {function.timeout} s is shorter than a publishing request"
            f" ({request:g} s) and {ROOM_SECONDS} s more: it raises",
            f"set its Timeout to {max(USUAL_TIMEOUT, int(request) + 2 * ROOM_SECONDS)}",
        )
    else:
        yield _fine(f"timeout {function.timeout} s")
    if QUEUE.fullmatch(mapping.source):
        seconds = VISIBILITY_TIMEOUTS * function.timeout
        yield _doubtful(
            "the queue itself is not in these files",
            f"see that its VisibilityTimeout is at least {seconds} (six timeouts), and"
            " maxReceiveCount 5",
        )
    if not _can_run(function.runtime):
        yield _wrong(
            f"its runtime is {function.runtime}",
            f"set it to python3.{OLDEST_PYTHON} or newer, and build the zip for it",
        )
    if function.memory < LEAST_MEMORY:
        yield _doubtful(
            f"it has {function.memory} MB of memory, and as small a part of a processor",
            f"set its MemorySize to {LEAST_MEMORY} or more; the template has 512",
        )
    yield from _variables(function)


def _can_run(runtime: str) -> bool:
    """Return whether a runtime is a Python that does. An image has none, and may hold one."""
    python = _PYTHON.fullmatch(runtime)
    if python is None:
        return not runtime or runtime.startswith(_OWN_RUNTIME)
    return int(python[1]) >= OLDEST_PYTHON


def _variables(function: FunctionConfiguration) -> Iterator[CheckResult]:
    if function.variables is None:
        yield _doubtful(
            "its variables could not be decrypted, so they were not judged",
            "print its configuration as somebody who may use their key",
        )
    elif function.variables.get(_TOKEN):
        yield _doubtful(
            f"its token is in {_TOKEN}, which all see who may look at the function",
            "set CONSUMER_NAKADI_TOKEN_SECRET to the ARN of a secret",
        )
