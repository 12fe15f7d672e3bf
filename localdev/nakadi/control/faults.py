"""Faults that a test or a developer asks for."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localdev.nakadi.json_value import Json


class FaultKind(StrEnum):
    """What goes wrong with a request."""

    STATUS = "status"  # answers `status` instead
    RESET = "reset"  # closes the connection without an answer
    DELAY = "delay"  # the ordinary answer, later
    TRUNCATE = "truncate"  # half of the answer's body, then closes
    PARTIAL = "partial"  # a 207 by `mode`
    REJECT = "reject"  # refuses events that match, with a 422 or 400
    ITEMS = "items"  # answers `status` with the item of every `nth` event; a 422 stores nothing


class PartialMode(StrEnum):
    """Which items of a 207 fail, and whether they are in the log all the same."""

    PARTITION = "partition"  # all events of `partitions`; in the log if `written`
    ALL = "all"  # every event; in the log if `written`
    NTH = "nth"  # every `nth` event
    LATER = "later"  # the first event of each key that occurs twice; its later ones are stored
    ABORTED = "aborted"  # first failed, others aborted, every second of them in the log
    BYTES = "bytes"  # events that take their partition's part of the batch over `limit` bytes


@dataclass(frozen=True, slots=True)
class Target:
    """A request that faults may strike: `size` bytes on the wire, `text` when decompressed."""

    on: str
    event_type: str
    text: str = ""
    size: int = 0
    events: int = 0


@dataclass(slots=True)
class Fault:
    """One fault; every member can be given as JSON under its name.

    Selection: only requests for `event_type`, whose body contains `contains` when decompressed,
    with at least `min_events` events and `min_bytes` bytes on the wire; the first `skip` of them
    pass, then each `every`-th is hit, `count` of them at most (None: until removed). `on` is
    `publish`, `event-type` (GET of an event type) or `any`.
    Effect: `delay` in seconds is slept `before` or `after` the events are stored, as is the
    answer; `retry_after` in seconds becomes the header; `body` is `problem`, `html`, `empty` or
    any text. A reject takes events whose `data[field]` equals `value` (422 at `step`), or, with
    `marker`, gives a 400 for a batch in which an event's text contains it. `note` is any text, to
    tell faults apart.
    """

    kind: FaultKind
    on: str = "publish"
    event_type: str | None = None
    contains: str | None = None
    min_events: int = 0
    min_bytes: int = 0
    skip: int = 0
    every: int = 1
    count: int | None = None
    when: str = "before"
    delay: float = 0.0
    status: int = 503
    retry_after: float | None = None
    body: str = "problem"
    mode: PartialMode = PartialMode.ALL
    partitions: list[str] = dataclasses.field(default_factory=list)
    nth: int = 2
    limit: int = 0
    written: bool = False
    field: str | None = None
    value: Json = None
    marker: str | None = None
    step: str = "validating"
    note: str = ""
    number: int = 0
    seen: int = 0
    applied: int = 0

    def facts(self) -> dict[str, object]:
        """Return the fault as JSON, with how many requests it has `seen` and was `applied` to."""
        return dataclasses.asdict(self)

    def matches(self, target: Target) -> bool:
        """Return whether this fault concerns a request."""
        return (
            self.on in (target.on, "any")
            and self.event_type in (None, target.event_type)
            and target.events >= self.min_events
            and target.size >= self.min_bytes
            and (self.contains is None or self.contains in target.text)
        )

    def hits(self) -> bool:
        """Count one matching request, and return whether it is hit."""
        if self.spent:
            return False
        self.seen += 1
        turn = self.seen - self.skip
        if turn < 1 or (turn - 1) % self.every != 0:
            return False
        self.applied += 1
        return True

    @property
    def spent(self) -> bool:
        """Whether it was applied as often as it may be."""
        return self.count is not None and self.applied >= self.count


_KINDS = {"kind": FaultKind, "mode": PartialMode}
_COUNTED = {"number", "seen", "applied"}
_CHOICES = {
    "on": ("publish", "event-type", "any"),
    "when": ("before", "after"),
    "step": ("validating", "partitioning", "enriching"),
}
_LEAST = {
    "min_events": 0,
    "min_bytes": 0,
    "skip": 0,
    "every": 1,
    "count": 1,
    "delay": 0,
    "retry_after": 0,
    "status": 200,
    "nth": 1,
    "limit": 0,
}
_MOST = {"status": 599}
_OPTIONAL = ("event_type", "contains", "count", "retry_after", "field", "marker")


def _check_member(name: str, value: Json) -> None:
    """Raise ValueError for a value that a member cannot have."""
    if value is None and name in _OPTIONAL:
        return
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(f"`{name}` is one of {', '.join(_CHOICES[name])}, not {value!r}")
    if name in _LEAST:
        kinds = (int, float) if name in ("delay", "retry_after") else (int,)
        least, most = _LEAST[name], _MOST.get(name, math.inf)
        if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
            upto = f" to {most}" if name in _MOST else ""
            raise ValueError(f"`{name}` is a number from {least}{upto}, not {value!r}")
    if name in ("event_type", "contains", "body", "field", "marker", "note") and not isinstance(
        value, str
    ):
        raise ValueError(f"`{name}` is a text, not {value!r}")
    if name == "written" and not isinstance(value, bool):
        raise ValueError(f"`{name}` is true or false, not {value!r}")
    if name == "partitions" and not (
        isinstance(value, list) and all(isinstance(one, str) for one in value)
    ):
        raise ValueError(f'`{name}` is a list like ["3"], not {value!r}')


def fault_from(description: Json) -> Fault:
    """Build a fault from JSON; an unknown member or value is a ValueError."""
    if not isinstance(description, dict):
        raise ValueError("a fault is a JSON object")  # noqa: TRY004 - it is data, not code
    known = {member.name for member in dataclasses.fields(Fault)} - _COUNTED
    unknown = sorted(description.keys() - known)
    if unknown:
        raise ValueError(f"unknown member {unknown[0]!r}; known are {', '.join(sorted(known))}")
    if "kind" not in description:
        raise ValueError("`kind` is missing")
    for name, value in description.items():
        _check_member(name, value)
    values: dict[str, object] = {
        name: _KINDS[name](str(value)) if name in _KINDS else value
        for name, value in description.items()
    }
    return Fault(**values)  # type: ignore[arg-type]


class Faults:
    """The faults in force, oldest first."""

    def __init__(self) -> None:
        self.all: list[Fault] = []
        self._numbered = 0

    def add(self, fault: Fault) -> None:
        """Put a fault behind the others."""
        fault.number = self._numbered
        self._numbered += 1
        self.all.append(fault)

    def take(self, target: Target) -> Fault | None:
        """Return the first fault that hits a request; rejects are asked for apart."""
        for fault in self.all:
            if fault.kind is FaultKind.REJECT or not fault.matches(target):
                continue
            if fault.hits():
                return fault
        return None

    def rejects(self, target: Target) -> list[Fault]:
        """Return the rejects in force for a request."""
        return [
            fault
            for fault in self.all
            if fault.kind is FaultKind.REJECT and fault.matches(target) and not fault.spent
        ]
