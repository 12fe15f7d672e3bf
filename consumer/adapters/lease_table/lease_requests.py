"""Requests to the lease table for the rows of one application; none of them is retried here.

Each request ends within `request_seconds`, including the wait for a connection. A write has two
definite outcomes, done and condition failed. Everything else, throttling too, is UnknownOutcome,
because an earlier copy of the same write may still arrive.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.aws.aws_errors import (
    CALL_FAILURES,
    describe,
    error_code,
    reason_of,
    retryable,
)
from consumer.adapters.lease_table.lease_expressions import Expressions
from consumer.adapters.lease_table.lease_rows import APPLICATION, KEY, Item, Row, RowValue, item
from consumer.errors import LeaseTableGone, Retryable, UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from consumer.observability.metrics import Metrics

MAX_PAGES: Final = 1000
"""Most pages of one Query; a page holds a megabyte."""


class LeaseRequests:
    """The rows of one application, addressed by their sort keys.

    `dynamodb` is a client made by `Aws`. Reads raise Retryable, writes raise UnknownOutcome; both
    raise LeaseTableGone if there is no such table.
    """

    def __init__(
        self,
        dynamodb: Any,  # noqa: ANN401 - made by botocore
        table: str,
        application: str,
        request_seconds: float,
        metrics: Metrics | None,
    ) -> None:
        self._dynamodb = dynamodb
        self._metrics = metrics
        self._table = table
        self._application = application
        self._request_seconds = request_seconds

    async def query_prefix(self, prefix: str) -> list[Row]:
        """Return all rows whose key begins with a prefix, by a strongly consistent read."""
        return await self._query("begins_with(#key, :from)", {":from": prefix})

    async def query_between(self, first: str, last: str) -> list[Row]:
        """Return all rows from one key to another, both included, by a strongly consistent read."""
        return await self._query("#key BETWEEN :from AND :to", {":from": first, ":to": last})

    async def put(self, key: str, values: Mapping[str, RowValue]) -> None:
        """Write a whole row, and replace one that exists."""
        await self._write("PutItem", self._dynamodb.put_item, Item=self._row(key, values))

    async def delete(self, key: str, condition: Expressions | None = None) -> None:
        """Delete a row if it exists. Raise ConditionFailed if it does not meet the condition."""
        arguments = condition.arguments() if condition else {}
        await self._write("DeleteItem", self._dynamodb.delete_item, Key=self._key(key), **arguments)

    async def read(self, key: str) -> Row | None:
        """Return a row, None if absent. The read is strongly consistent. Raise Retryable."""
        rows = await self.query_between(key, key)
        return rows[0] if rows else None

    async def read_after_refusal(self, key: str) -> Row | None:
        """Return a row, None if absent, to learn why a write was refused.

        The read is strongly consistent. Raise UnknownOutcome if it fails.
        """
        try:
            answer = await self._read(
                "GetItem", self._dynamodb.get_item, Key=self._key(key), ConsistentRead=True
            )
        except LeaseTableGone:
            raise
        except Retryable as error:
            raise UnknownOutcome(str(error), error.reason) from error
        return answer.get("Item")

    async def create(self, key: str, values: Mapping[str, RowValue]) -> None:
        """Write a new row. Raise ConditionFailed if it exists already."""
        absent = Expressions()
        absent.equal(KEY, None)
        await self._write(
            "PutItem",
            self._dynamodb.put_item,
            Item=self._row(key, values),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **absent.arguments(),
        )

    async def update(self, key: str, update: Expressions) -> Row:
        """Update a row and return it. Raise ConditionFailed if it does not meet the condition."""
        answer = await self._write(
            "UpdateItem",
            self._dynamodb.update_item,
            Key=self._key(key),
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **update.arguments(),
        )
        row: Row | None = answer.get("Attributes")
        if not row:
            raise UnknownOutcome("UpdateItem: an answer without Attributes", "malformed_answer")
        return row

    async def create_and_update(
        self,
        created: tuple[str, Mapping[str, RowValue]],
        updated: tuple[str, Expressions],
        token: str,
    ) -> None:
        """Write a new row and update another one, both or neither.

        Within ten minutes, repeated calls with the same `token` have the effect of one. Raise
        ConditionFailed if the new row exists, or the other one does not meet its condition.
        """
        absent = Expressions()
        absent.equal(KEY, None)
        put = {"Item": self._row(*created), **absent.arguments()}
        update = {"Key": self._key(updated[0]), **updated[1].arguments()}

        async def both(**table: object) -> dict[str, Any]:
            answer: dict[str, Any] = await self._dynamodb.transact_write_items(
                TransactItems=[{"Put": table | put}, {"Update": table | update}],
                ClientRequestToken=token,
            )
            return answer

        await self._write("TransactWriteItems", both)

    async def try_update(self, key: str, update: Expressions) -> bool:
        """Update a row if it meets the condition; return whether it did."""
        try:
            await self.update(key, update)
        except ConditionFailed:
            return False
        return True

    def _key(self, key: str) -> Item:
        return item({APPLICATION: self._application, KEY: key})

    def _row(self, key: str, values: Mapping[str, RowValue]) -> Item:
        return self._key(key) | item(values)

    async def _query(self, condition: str, bounds: dict[str, RowValue]) -> list[Row]:
        arguments: dict[str, object] = {
            "KeyConditionExpression": f"#application = :application AND {condition}",
            "ExpressionAttributeNames": {"#application": APPLICATION, "#key": KEY},
            "ExpressionAttributeValues": item({":application": self._application, **bounds}),
            "ConsistentRead": True,
        }
        rows: list[Row] = []
        for _ in range(MAX_PAGES):
            answer = await self._read("Query", self._dynamodb.query, **arguments)
            if "Items" not in answer:
                raise Retryable("Query: an answer without Items", "malformed_answer")
            rows.extend(answer["Items"])
            after = answer.get("LastEvaluatedKey")
            if not after:
                return rows
            arguments["ExclusiveStartKey"] = after
        raise Retryable(f"Query: more than {MAX_PAGES} pages", "malformed_answer")

    async def _read(
        self, name: str, operation: Callable[..., Awaitable[dict[str, Any]]], **arguments: object
    ) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._request_seconds):
                return await operation(TableName=self._table, **arguments)
        except CALL_FAILURES as error:
            if _no_table(error):
                raise self._gone(name, error) from error
            raise retryable(name, error) from error

    async def _write(
        self, name: str, operation: Callable[..., Awaitable[dict[str, Any]]], **arguments: object
    ) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._request_seconds):
                answer = await operation(TableName=self._table, **arguments)
        except CALL_FAILURES as error:
            if _refused(error):
                self._count("refused")
                raise ConditionFailed(_old_item(error)) from error
            if _no_table(error):
                self._count("refused")
                raise self._gone(name, error) from error
            self._count("unknown")
            raise UnknownOutcome(f"{name}: {describe(error)}", reason_of(error)) from error
        self._count("done")
        return answer

    def _gone(self, name: str, error: Exception) -> LeaseTableGone:
        return LeaseTableGone(f"{name}: no table {self._table!r}: {describe(error)}")

    def _count(self, outcome: str) -> None:
        if self._metrics is not None:
            self._metrics.lease_writes.labels(outcome=outcome).inc()


class ConditionFailed(Exception):
    """A write was refused. `row` is the existing row, None if the answer did not contain it."""

    def __init__(self, row: Row | None) -> None:
        super().__init__()
        self.row = row


def _no_table(error: Exception) -> bool:
    """Return whether there is no such table, which also says that a write has not happened."""
    return error_code(error) == "ResourceNotFoundException"


def _refused(error: Exception) -> bool:
    """Return whether a condition of the write, or of one in its transaction, did not hold."""
    code = error_code(error)
    if code != "TransactionCanceledException":
        return code == "ConditionalCheckFailedException"
    response: Mapping[str, Any] = getattr(error, "response", {})
    reasons = response.get("CancellationReasons") or ()
    return any(reason and reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)


def _old_item(error: Exception) -> Row | None:
    response: Mapping[str, Any] = getattr(error, "response", {})
    return response.get("Item") or None
