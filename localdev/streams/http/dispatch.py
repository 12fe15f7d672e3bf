"""Finds the operation of a request by X-Amz-Target, calls it, and counts the calls."""

from collections import Counter
from dataclasses import dataclass, field

from localdev.streams.errors import ErrorCode, ServiceError
from localdev.streams.http.arguments import Arguments
from localdev.streams.http.fault import Fault, FaultKind, Faults
from localdev.streams.http.reply import Reply, planned_error
from localdev.streams.http.streams_api import STREAMS_OPERATIONS, Operation, get_records
from localdev.streams.http.tables_api import TablesApi
from localdev.streams.model.streams_model import StreamsModel

STREAMS_TARGET = "DynamoDBStreams_20120810"
TABLES_TARGET = "DynamoDB_20120810"


@dataclass(slots=True)
class Calls:
    """Counts of calls, including those that a fault hit."""

    operations: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)  # by code
    get_records: Counter[str] = field(default_factory=Counter)  # by shard
    faults: Counter[str] = field(default_factory=Counter)  # by kind

    def facts(self) -> dict[str, object]:
        """Return the counts as JSON."""
        return {
            "operations": self.operations,
            "errors": self.errors,
            "get_records": self.get_records,
            "faults": self.faults,
        }


class Dispatch:
    """The protocol without its transport."""

    def __init__(self, model: StreamsModel, tables: TablesApi, faults: Faults) -> None:
        self.model = model
        self.faults = faults
        self.calls = Calls()
        self._operations: dict[str, Operation] = {
            **{f"{STREAMS_TARGET}.{name}": call for name, call in STREAMS_OPERATIONS.items()},
            **{f"{TABLES_TARGET}.{name}": call for name, call in tables.operations().items()},
        }

    def call(self, target: str, body: bytes, now: float) -> Reply:
        """Return the answer to one request, at `now` in epoch seconds."""
        operation = target.rpartition(".")[2]
        fault = None
        try:
            if target not in self._operations:
                raise ServiceError(
                    ErrorCode.UNKNOWN_OPERATION, f"This local server does not know {target!r}"
                )
            asked = Arguments.parse(body)
            shard = self._shard(operation, asked)
            self._count(operation, shard)
            fault = self.faults.draw(operation, shard)
            return Reply(200, self._answer(target, asked, now, fault), fault)
        except ServiceError as error:
            self.calls.errors[error.code.value] += 1
            answer = Reply.of_error(error)
            return Reply(answer.status, answer.body, fault)

    def _answer(self, target: str, asked: Arguments, now: float, fault: Fault | None) -> bytes:
        if fault is None:
            return self._operations[target](self.model, asked, now)
        self.calls.faults[fault.kind.value] += 1
        if (error := planned_error(fault.kind)) is not None:
            raise ServiceError(error.code, error.message + "." * fault.padding)
        if fault.kind is FaultKind.RESET:
            return b""
        if fault.kind is FaultKind.HOLLOW:
            return b"{}"
        if target == f"{STREAMS_TARGET}.GetRecords":
            if fault.kind is FaultKind.TRIM:
                self.model.trim_next(asked.text("ShardIterator"))
            return get_records(self.model, asked, now, empty=fault.kind is FaultKind.EMPTY)
        return self._operations[target](self.model, asked, now)

    def _count(self, operation: str, shard: str | None) -> None:
        self.calls.operations[operation] += 1
        if operation == "GetRecords" and shard is not None:
            self.calls.get_records[shard] += 1

    def _shard(self, operation: str, asked: Arguments) -> str | None:
        """Return the shard that a call concerns, None if there is none or it is not known."""
        try:
            match operation:
                case "GetRecords":
                    return self.model.shard_of(asked.text("ShardIterator"))
                case "GetShardIterator":
                    return asked.text("ShardId")
                case _:
                    return None
        except ServiceError:
            return None
