"""An answer before it is sent: status, body, and damage that a fault does to it."""

import json
from dataclasses import dataclass
from typing import assert_never

import orjson

from localdev.streams.errors import ErrorCode, ServiceError
from localdev.streams.http.fault import Fault, FaultKind


@dataclass(frozen=True, slots=True)
class Reply:
    """`damage` is the fault to show on the wire, if any."""

    status: int
    body: bytes
    damage: Fault | None = None

    @classmethod
    def of_error(cls, error: ServiceError) -> "Reply":
        """Return the answer for an error."""
        kind = f"{error.code.namespace}#{error.code}"
        return cls(error.code.status, orjson.dumps({"__type": kind, "message": error.message}))


def planned_error(kind: FaultKind) -> ServiceError | None:
    """Return the error that a fault answers with, None if it does something else."""
    match kind:
        case FaultKind.THROTTLE:
            return ServiceError(ErrorCode.THROTTLING, "Rate of requests exceeds the allowed")
        case FaultKind.LIMIT_EXCEEDED:
            return ServiceError(ErrorCode.LIMIT_EXCEEDED, "Too many readers of this shard")
        case FaultKind.SERVER_ERROR:
            return ServiceError(ErrorCode.INTERNAL_SERVER_ERROR, "Internal server error")
        case FaultKind.EXPIRED:
            return ServiceError(ErrorCode.EXPIRED_ITERATOR, "Iterator expired (planned)")
        case FaultKind.TRIMMED:
            return ServiceError(ErrorCode.TRIMMED_DATA_ACCESS, "Trimmed (planned)")
        case FaultKind.NOT_FOUND:
            return ServiceError(ErrorCode.RESOURCE_NOT_FOUND, "Not found (planned)")
        case FaultKind.VALIDATION:
            return ServiceError(ErrorCode.VALIDATION, "Not valid (planned)")
        case FaultKind.EXPIRED_CREDENTIALS:
            return ServiceError(
                ErrorCode.EXPIRED_CREDENTIALS,
                "The security token included in the request is expired",
            )
        case (
            FaultKind.RESET
            | FaultKind.HOLLOW
            | FaultKind.EMPTY
            | FaultKind.TRIM
            | FaultKind.SLOW
            | FaultKind.TRUNCATE
            | FaultKind.CUT
            | FaultKind.WRONG_CRC
        ):
            return None
        case _:
            assert_never(kind)


def with_spaces(body: bytes) -> bytes:
    """Return JSON as emulators written in Python write it: spaces, and nothing but ASCII."""
    return json.dumps(json.loads(body)).encode()
