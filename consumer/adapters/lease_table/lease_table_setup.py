"""Checks at start that the lease table exists, and creates it if the settings say so.

The check is a GetItem, which even the smallest policy allows. DescribeTable and the other calls are
made only to create the table.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog

from consumer.adapters.aws.aws_errors import CALL_FAILURES, describe, error_code, retryable
from consumer.adapters.lease_table.lease_rows import APPLICATION, KEY, item
from consumer.errors import LeaseTableAbsent, Misconfigured, Retryable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.ports import Clock

log = structlog.get_logger()

REQUEST_SECONDS: Final = 10.0
"""Longest request; creating a table takes longer than writing a row."""

ACTIVE_SECONDS: Final = 60.0
"""Longest wait for a new table to become ACTIVE."""

LOOK_SECONDS: Final = 0.5
"""Pause between two requests for the status of a new table."""


async def ensure_table(
    dynamodb: Any,  # noqa: ANN401 - made by botocore
    clock: Clock,
    table: str,
    *,
    create: bool,
) -> None:
    """Check the table, and create it with on-demand capacity if it is absent and `create` is set.

    Raise LeaseTableAbsent if it is absent and `create` is not set, Misconfigured if it has another
    key or cannot be created, Retryable if it cannot be reached or is not ready in time.
    """
    if await _usable(dynamodb, table):
        return
    if not create:
        raise LeaseTableAbsent(
            f"CONSUMER_LEASE_TABLE: no table {table!r} in {dynamodb.meta.region_name}; wanted one "
            f"with key {APPLICATION} (S) and {KEY} (S), or CONSUMER_LEASE_TABLE_CREATE=true"
        )
    made = await _create(dynamodb, table)
    await _active(dynamodb, clock, table)
    if made:
        await _expire_rows(dynamodb, table)
        log.info("lease_table_created", table=table)
    if not await _usable(dynamodb, table):
        raise Retryable(f"lease table {table!r} is ACTIVE but cannot be read yet", "not_ready")


async def _usable(dynamodb: Any, table: str) -> bool:  # noqa: ANN401 - made by botocore
    """Return whether the table exists. Raise Misconfigured if it has another key."""
    key = item({APPLICATION: "-", KEY: "-"})
    try:
        await _call("GetItem", dynamodb.get_item, TableName=table, Key=key)
    except _Refused as refused:
        if refused.code == "ResourceNotFoundException":
            return False
        raise Misconfigured(
            f"CONSUMER_LEASE_TABLE: table {table!r} cannot be used; "
            f"wanted one with key {APPLICATION} (S) and {KEY} (S); {refused}"
        ) from refused
    return True


async def _create(dynamodb: Any, table: str) -> bool:  # noqa: ANN401 - made by botocore
    """Create the table; return False if it was being created already."""
    try:
        await _call(
            "CreateTable",
            dynamodb.create_table,
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": APPLICATION, "AttributeType": "S"},
                {"AttributeName": KEY, "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": APPLICATION, "KeyType": "HASH"},
                {"AttributeName": KEY, "KeyType": "RANGE"},
            ],
        )
    except _Refused as refused:
        if refused.code == "ResourceInUseException":
            return False
        raise Misconfigured(f"CONSUMER_LEASE_TABLE: {refused}") from refused
    return True


async def _active(dynamodb: Any, clock: Clock, table: str) -> None:  # noqa: ANN401 - botocore's
    deadline = clock.now() + ACTIVE_SECONDS
    while clock.now() < deadline:
        try:
            answer = await _call("DescribeTable", dynamodb.describe_table, TableName=table)
        except _Refused:
            answer = {}
        if answer.get("Table", {}).get("TableStatus") == "ACTIVE":
            return
        await clock.sleep(LOOK_SECONDS)
    raise Retryable(f"lease table {table!r}: not ACTIVE after {ACTIVE_SECONDS:g} s", "not_ready")


async def _expire_rows(dynamodb: Any, table: str) -> None:  # noqa: ANN401 - made by botocore
    """Turn on TTL. If that fails, rows of crashed workers stay in the table, which is harmless."""
    try:
        await _call(
            "UpdateTimeToLive",
            dynamodb.update_time_to_live,
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "expiresAt"},
        )
    except (_Refused, Retryable) as error:
        log.warning(
            "lease_table_without_ttl",
            table=table,
            detail=str(error),
            action="enable time to live on the attribute expiresAt, or leave it: the rows of dead "
            "workers then stay, which does no harm",
        )


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_REFUSALS: Final = ("ResourceNotFoundException", "ResourceInUseException", "ValidationException")


async def _call(
    name: str, operation: Callable[..., Awaitable[dict[str, Any]]], **arguments: object
) -> dict[str, Any]:
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            return await operation(**arguments)
    except CALL_FAILURES as error:
        code = error_code(error)
        if code in _REFUSALS:
            raise _Refused(code, describe(error)) from error
        raise retryable(name, error) from error
