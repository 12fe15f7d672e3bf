"""Failures in a row of one kind of call: why, how often, since when, in the service's words."""

from __future__ import annotations

from msgspec import Struct


class Failure(Struct, frozen=True):
    """`reason` is a short word, `detail` a sentence of the service, both of the newest failure.

    `count` counts the failures in a row, `since` (epoch seconds) is the time of the first of them.
    """

    reason: str
    detail: str
    count: int
    since: float

    @property
    def brief(self) -> str:
        """Reason and number, such as `server_error, 21` and a multiplication sign."""
        return f"{self.reason}, {self.count}\N{MULTIPLICATION SIGN}"

    @property
    def words(self) -> str:
        """All but the time, as one line for people."""
        return f"{self.brief}: {self.detail}"


def failed_again(before: Failure | None, reason: str, detail: str, wall: float) -> Failure:
    """Return the failures in a row, of which one more has happened at `wall` (epoch seconds)."""
    if before is None:
        return Failure(reason, detail, 1, wall)
    return Failure(reason, detail, before.count + 1, before.since)
