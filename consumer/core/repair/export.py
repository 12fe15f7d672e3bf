"""An export of the table: where it goes, what was asked for, and what to do next.

The request names a client token, which is stored before it is sent. For eight hours DynamoDB takes
another request with the same token for the same one; after that it would begin a second export.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from consumer.core.repair.window import Window

TOKEN_SECONDS: Final = 8 * 3600.0 - 300.0
"""For so long a request may be repeated with its token: five minutes less than DynamoDB allows."""


class ExportStatus(StrEnum):
    """ExportStatus, in DynamoDB's words."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class Step(StrEnum):
    """What to do about an export that is wanted."""

    ASK = "ask"
    LOOK = "look"
    FOLLOW = "follow"


class Destination(Struct, frozen=True):
    """Where exports are written. `owner` is the bucket's account; None: the caller's own."""

    bucket: str
    owner: str | None = None
    prefix: str | None = None
    kms_key: str | None = None


class ExportTask(Struct, frozen=True):
    """An export that was asked for, or is about to be.

    `asked_at` is the time (epoch seconds) before the first request with this `token`. `arn` is
    None until an answer has named the export.
    """

    window: Window
    destination: Destination
    token: str
    asked_at: float
    arn: str | None = None

    def next_step(self, wall: float) -> Step:
        """Return what to do about it: follow it, repeat the request, or look for it first."""
        if self.arn is not None:
            return Step.FOLLOW
        return Step.ASK if wall - self.asked_at < TOKEN_SECONDS else Step.LOOK


class ExportState(Struct, frozen=True):
    """What DynamoDB says of an export.

    `manifest_key` is that of its summary, None until it is complete. `window` and `token` are None
    where the answer lacks them. `failure` is DynamoDB's code and message.
    """

    arn: str
    status: ExportStatus
    destination: Destination
    incremental: bool
    manifest_key: str | None = None
    window: Window | None = None
    token: str | None = None
    failure: str | None = None

    def is_of(self, task: ExportTask) -> bool:
        """Return whether it may be the export that the task has asked for."""
        same = (self.destination.bucket, self.window) == (task.destination.bucket, task.window)
        asked = self.token is None or self.token == task.token
        return self.incremental and self.status is not ExportStatus.FAILED and same and asked
