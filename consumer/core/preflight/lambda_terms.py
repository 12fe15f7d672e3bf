"""What the settings say that an event source mapping must fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.routes.route import Route


@dataclass(frozen=True, slots=True)
class LambdaTerms:
    """The settings that a mapping must fit, beside what the routes have.

    `partial` is CONSUMER_LAMBDA_PARTIAL. `letter_queue` is the URL of the dead letter queue, and
    `request` the longest time in seconds for one publishing request. With `redrive_by_mapping` the
    operator has accepted that a mapping empties the dead letter queue.
    """

    partial: bool
    table: str | None
    stream_arn: str | None
    start: str
    request: float
    letter_queue: str | None
    routes: Sequence[Route] = ()
    redrive_by_mapping: bool = False
