"""Publishing a batch: all events are validated, then all partitioned, then enriched and stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localdev.nakadi.event_types.log import StoredEvent
from localdev.nakadi.event_types.partitioning import PartitioningError
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.publishing.storing import Fate, Placed, fates
from localdev.nakadi.timestamp import timestamp

if TYPE_CHECKING:
    from localdev.nakadi.control.faults import Fault
    from localdev.nakadi.event_types.event_type import EventType
    from localdev.nakadi.json_value import Json, JsonObject
    from localdev.nakadi.publishing.batch import Event

EVENT_MAX_BYTES = 999_000
_PREFIX = "Error occurred when parsing event(s). "


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a batch: a status and, unless it is 200, an item for each event in order."""

    status: int
    items: list[JsonObject]


@dataclass(frozen=True, slots=True)
class Source:
    """The origin of a batch: the number of the request, its flow id, its client."""

    request: int
    flow_id: str
    deletion: bool = False
    keep_text: bool = True


def item(event: Event, status: str, step: str, detail: str, partition: str | None) -> JsonObject:
    """Return one BatchItemResponse, members in Nakadi's order."""
    return {
        "publishing_status": status,
        "detail": detail,
        "step": step,
        "eid": event.eid,
        "partition": partition,
    }


def judge(
    event_type: EventType, events: list[Event], rejects: list[Fault], *, deletion: bool
) -> list[Placed] | Outcome:
    """Return the events with their partitions, or the refusal of the whole batch."""
    if deletion and not event_type.compacted:
        return Outcome(422, [item(event, "aborted", "none", "", None) for event in events])
    for at, event in enumerate(events):
        fault = _invalid(event_type, event, rejects, deletion=deletion)
        if fault is not None:
            if event_type.definition.get("category") != "undefined":
                _demand_metadata(event, "eid")  # its absence turns the 422 into a 400
            # The owners of all events are checked first, so the validation of each has begun.
            after = "validating" if event_type.owned else "none"
            return _refusal(events, at, "validating", fault, [], after)
    return _place(event_type, events, rejects)


def _place(
    event_type: EventType, events: list[Event], rejects: list[Fault]
) -> list[Placed] | Outcome:
    """Partition all events, then go through what enriching would refuse."""
    partitions: list[str] = []
    for at, event in enumerate(events):
        try:
            _reject(event, rejects, "partitioning")
            partitions.append(event_type.partitioner(event.value))
        except PartitioningError as error:
            return _refusal(events, at, "partitioning", str(error), partitions, "validating")
    for event in events if event_type.compacted else ():
        _demand_metadata(event, "partition_compaction_key")
    for at, event in enumerate(events if rejects else ()):
        try:
            _reject(event, rejects, "enriching")
        except PartitioningError as error:
            return _refusal(events, at, "enriching", str(error), partitions, "partitioning")
    return [
        Placed(event, partition, event_type.key_of(event.value))
        for event, partition in zip(events, partitions, strict=True)
    ]


def _refusal(
    events: list[Event], bad: int, step: str, detail: str, partitions: list[str], after: str
) -> Outcome:
    """Return the 422 that names only the first bad event."""
    items = []
    for at, event in enumerate(events):
        partition = partitions[at] if at < len(partitions) else None
        if at == bad:
            items.append(item(event, "failed", step, detail, partition))
        else:
            reached = step if at < bad else after
            items.append(item(event, "aborted", reached, "", partition))
    return Outcome(422, items)


def _invalid(
    event_type: EventType, event: Event, rejects: list[Fault], *, deletion: bool
) -> str | None:
    fault = None if deletion else event_type.validator.complaint(event.value)
    if fault is None and event.exceeds(EVENT_MAX_BYTES):
        fault = f"Event too large: {event.size()} bytes, max size is {EVENT_MAX_BYTES} bytes"
    if fault is None and rejects:
        try:
            _reject(event, rejects, "validating")
        except PartitioningError as error:
            fault = str(error)
    return fault


def _reject(event: Event, rejects: list[Fault], step: str) -> None:
    """Refuse an event that a fault names; the fault counts refusals."""
    data = event.value.get("data")
    for fault in rejects:
        if fault.step != step or fault.field is None or not isinstance(data, dict):
            continue
        if fault.field in data and data[fault.field] == fault.value and fault.hits():
            raise PartitioningError(f"#/data/{fault.field}: refused by fault {fault.number}")


def refuse_marked(events: list[Event], rejects: list[Fault]) -> None:
    """Raise the 400 for a batch in which an event carries the marker of a fault."""
    for fault in rejects:
        marker = fault.marker
        if marker is not None and any(marker in event.text for event in events) and fault.hits():
            raise ProblemError(400, f"{_PREFIX}Refused by fault {fault.number}")


def _demand_metadata(event: Event, member: str) -> None:
    metadata: Json = event.value.get("metadata")
    if "metadata" not in event.value:
        raise ProblemError(400, f'{_PREFIX}JSONObject["metadata"] not found.')
    if not isinstance(metadata, dict):
        raise ProblemError(400, f'{_PREFIX}JSONObject["metadata"] is not a JSONObject.')
    if member not in metadata:
        raise ProblemError(400, f'{_PREFIX}JSONObject["{member}"] not found.')
    if not isinstance(metadata[member], str):
        raise ProblemError(400, f'{_PREFIX}JSONObject["{member}"] not a string.')


def store(
    event_type: EventType, placed: list[Placed], source: Source, fault: Fault | None
) -> Outcome:
    """Put events into the log, and return the outcome for each."""
    received_at = timestamp()
    outcome = fates(placed, fault)
    for entry, fate in zip(placed, outcome, strict=True):
        if fate.written:
            _append(event_type, entry, source, received_at)
    if all(fate.status == "submitted" for fate in outcome):
        return Outcome(200, [])
    return Outcome(207, items_of(placed, outcome))


def items_of(placed: list[Placed], outcome: list[Fate]) -> list[JsonObject]:
    """Return the items of a 207."""
    return [
        item(
            entry.event,
            fate.status,
            "publishing",
            "internal error" if fate.status == "failed" else "",
            entry.partition,
        )
        for entry, fate in zip(placed, outcome, strict=True)
    ]


def _append(event_type: EventType, entry: Placed, source: Source, received_at: str) -> None:
    log, event = event_type.log, entry.event
    op = event.value.get("data_op")
    log.append(
        StoredEvent(
            index=log.next_index,
            partition=entry.partition,
            offset=log.next_offset(entry.partition),
            eid=event.eid,
            data_op=op if isinstance(op, str) else "",
            key=entry.key,
            sequence=event_type.sequence_of(event.value),
            request=source.request,
            flow_id=source.flow_id,
            received_at=received_at,
            version=event_type.version,
            text=event.text if source.keep_text else "",
            tombstone=source.deletion,
        )
    )
