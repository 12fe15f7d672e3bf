"""A table, event types, and somebody at a shell who publishes its items again."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

from localdev.workload.aws_client import aws_client
from tests.integration.cluster import definition
from tests.integration.consumer_process import run_consumer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from localdev.aws.process import AwsProcess
    from localdev.nakadi.process import NakadiProcess

Json = Any


class Desk:
    """A table with the keys `pk` and `sk` (a number), and two event types: orders, and all."""

    def __init__(self, aws: AwsProcess, nakadi: NakadiProcess, folder: Path) -> None:
        self.folder = folder
        self.nakadi = nakadi
        self.table = f"items-{uuid.uuid4().hex[:8]}"
        self.order, self.all = f"{self.table}.order", f"{self.table}.all"
        for name in (self.order, self.all):
            self.create_event_type(name)
        self.environ = {
            "PATH": os.environ["PATH"],
            **aws.environment(),
            "CONSUMER_TABLE": self.table,
            "CONSUMER_NAKADI_URL": nakadi.url,
            "CONSUMER_NAKADI_TOKEN": "token",
            "CONSUMER_APPLICATION": self.table,
            **self.routes(),
        }
        self.dynamodb = aws_client("dynamodb", self.environ)
        self.dynamodb.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "N"},
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            StreamSpecification={
                "StreamEnabled": True,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        )

    def create_lease_table(self) -> None:
        self.dynamodb.create_table(
            TableName=self.environ["CONSUMER_LEASE_TABLE"],
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "application", "AttributeType": "S"},
                {"AttributeName": "key", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "application", "KeyType": "HASH"},
                {"AttributeName": "key", "KeyType": "RANGE"},
            ],
        )

    def create_event_type(self, name: str, schema: Json = None) -> None:
        loose = {
            "type": "object",
            "required": ["pk"],
            "properties": {"pk": {"type": "string"}, "amount": {"type": "number"}},
        }
        self.nakadi.create_event_type(
            {
                **definition("pk"),
                "name": name,
                "schema": {"type": "json_schema", "schema": json.dumps(schema or loose)},
                "ordering_key_fields": [],
                "ordering_instance_ids": [],
            }
        )

    def closed_route(self) -> Json:
        """A route to an event type whose schema knows `sequence` and `stream` of `change` only."""
        closed = {"type": "object", "additionalProperties": False}
        place = {name: {"type": "string"} for name in ("sequence", "stream")}
        change = {**closed, "properties": place}
        schema = {"type": "object", "properties": {"pk": {"type": "string"}, "change": change}}
        name = f"{self.table}.closed"
        self.create_event_type(name, schema)
        return {"event_type": name, "name": "closed"}

    def routes(self, *more: Json) -> dict[str, str]:
        """The setting for the two routes, and more of them."""
        orders = {
            "event_type": self.order,
            "name": "orders",
            "filter": {"item": {"kind": {"S": ["ORDER"]}}},
            "exclude": ["card"],
            "rename": {"sk": "line"},
        }
        rest = {"event_type": self.all, "name": "all"}
        return {"CONSUMER_ROUTES": json.dumps([orders, rest, *more])}

    def put(self, *items: Json) -> None:
        for item in items:
            self.dynamodb.put_item(TableName=self.table, Item=item)

    def delete(self, key: Json) -> None:
        self.dynamodb.delete_item(TableName=self.table, Key=key)

    def republish(self, *words: str, **environ: str) -> tuple[int, str, str]:
        done = run_consumer(["republish", *words], {**self.environ, **environ})
        return done.returncode, done.stdout, done.stderr

    def file(self, lines: Iterable[str]) -> str:
        """A file of these lines."""
        path = self.folder / f"keys-{uuid.uuid4().hex[:8]}"
        path.write_text("".join(f"{line}\n" for line in lines))
        return str(path)

    def stored(self, event_type: str) -> list[Json]:
        """The events of an event type, in the order of storing."""
        return [json.loads(str(entry["event"])) for entry in self.nakadi.log(event_type)]


def key(pk: str, sk: int) -> Json:
    return {"pk": {"S": pk}, "sk": {"N": str(sk)}}


def item(pk: str, sk: int, kind: str = "ORDER", **more: Json) -> Json:
    return {**key(pk, sk), "kind": {"S": kind}, "card": {"S": "4711-0815"}, **more}
