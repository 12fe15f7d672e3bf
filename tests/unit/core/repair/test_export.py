"""What to do next about an export."""

import pytest
from msgspec.structs import replace

from consumer.core.repair.export import (
    TOKEN_SECONDS,
    Destination,
    ExportState,
    ExportStatus,
    ExportTask,
    Step,
)
from consumer.core.repair.window import Window

WINDOW = Window(1000, 1900)
TASK = ExportTask(WINDOW, Destination("bucket"), "token", 5_000.0)
STATE = ExportState(
    "arn", ExportStatus.IN_PROGRESS, Destination("bucket", "1"), True, None, WINDOW, "token"
)


def test_a_request_is_repeated_while_its_token_counts_and_after_that_exports_are_listed() -> None:
    assert TOKEN_SECONDS < 8 * 3600
    assert TASK.next_step(5_000.0) is Step.ASK
    assert TASK.next_step(5_000.0 + TOKEN_SECONDS - 0.1) is Step.ASK
    assert TASK.next_step(5_000.0 + TOKEN_SECONDS) is Step.LOOK


def test_a_known_export_is_followed_however_old() -> None:
    assert replace(TASK, arn="arn").next_step(5_000.0 + 9 * TOKEN_SECONDS) is Step.FOLLOW


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"token": None}, True),
        ({"token": "another"}, False),
        ({"window": Window(1000, 1901)}, False),
        ({"window": None}, False),
        ({"destination": Destination("other")}, False),
        ({"incremental": False}, False),
        ({"status": ExportStatus.FAILED}, False),
        ({"status": ExportStatus.COMPLETED}, True),
    ],
)
def test_the_export_that_a_request_has_begun(changes: dict[str, object], same: bool) -> None:
    assert replace(STATE, **changes).is_of(TASK) is same
