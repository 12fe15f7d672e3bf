"""The states of a worker, which say what is worst with it, and what to do about each."""

from __future__ import annotations

from enum import StrEnum


class WorkerState(StrEnum):
    """From harmless to serious. The words stand in rows, in `/status` and in commands."""

    OK = "ok"
    PAUSED = "paused"  # a shard, by an operator
    BACKING_OFF = "backing_off"  # an event type, or partitions of it
    FAILING = "failing"  # a shard
    LEASE_TABLE = "lease_table"  # calls to it fail
    UNABLE = "unable"  # no shard can be read
    STOPPED = "stopped"  # an event type; an operator must act


ACTIONS = {
    WorkerState.OK: "",
    WorkerState.PAUSED: "`consumer resume` once the cause of the pause is removed; the stream keeps"
    " changes for 24 hours",
    WorkerState.BACKING_OFF: "nothing to this service: it tries again by itself and loses nothing;"
    " runbook, ConsumerPublishErrors",
    WorkerState.FAILING: "remove what the reason names: for access_denied compare the role with"
    " `consumer iam-policy`; runbook, ConsumerLeasesUnowned",
    WorkerState.LEASE_TABLE: "remove what the reason names: for access_denied compare the role with"
    " `consumer iam-policy`, for throttled raise the table's capacity, for lease_table_gone create"
    " the table again; runbook, ConsumerLeasesUnowned",
    WorkerState.UNABLE: "look at this worker's way to DynamoDB Streams and at its role; runbook,"
    " ConsumerLeasesUnowned",
    WorkerState.STOPPED: "the log line event_type_stopped says what to do; runbook,"
    " ConsumerEventTypeStopped",
}
"""What an operator can do about each state."""
