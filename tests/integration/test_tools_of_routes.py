"""The tools where there are routes: what they say is what the service then does."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.integration.cluster import TABLE, Cluster, cluster
from tests.integration.consumer_process import ConsumerProcess, run_consumer

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

ORDER, PUBLIC, OUTBOX = "s.order", "s.public", "s.outbox"
ROUTES = [
    {"event_type": ORDER, "filter": {"item": {"kind": {"S": ["ORDER"]}}}},
    {
        "event_type": PUBLIC,
        "name": "public",
        "filter": {"item": {"kind": {"S": ["ORDER"]}, "status": {"S": ["PAID"]}}},
        "include": ["id", "status", "customer"],
        "exclude": ["customer.card"],
        "rename": {"id": "order_id"},
    },
    {
        "event_type": OUTBOX,
        "category": "business",
        "filter": {"item": {"kind": {"S": ["EVENT"]}}},
        "exclude": ["card", "customer.card"],
        "metadata": {"flow_id": "flow"},
    },
]


def item(number: str, kind: str, status: str = "OPEN") -> dict[str, Any]:
    return {
        "id": {"S": number},
        "kind": {"S": kind},
        "status": {"S": status},
        "n": {"N": "1.10"},
        "card": {"S": "marked"},
        "flow": {"S": f"flow-{number}"},
        "customer": {"M": {"name": {"S": "x"}, "card": {"S": "marked"}}},
    }


CHANGES: list[dict[str, Any]] = [
    {"put": item("o-1", "ORDER")},
    {"put": item("o-1", "ORDER", "PAID")},
    {"put": item("l-1", "LOCK")},
    {"put": item("o-2", "ORDER", "PAID")},
    {"put": item("e-1", "EVENT")},
    {"put": item("e-1", "EVENT", "PAID")},
    {"put": item("o-1", "ORDER", "SENT")},
    {"delete": {"id": {"S": "o-2"}}},
    {"delete": {"id": {"S": "e-1"}}},
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("tools")) as started:
        started.settings |= {
            "CONSUMER_APPLICATION": "tools",
            "CONSUMER_EVENT_TYPE": "",
            "CONSUMER_ROUTES": json.dumps(ROUTES),
        }
        yield started


def consumer(made: Cluster, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run_consumer([*words], made.environment(**settings))


def test_preview_check_and_drafts_agree_with_what_is_published(
    made: Cluster, tmp_path: Path
) -> None:
    before = consumer(made, "check")
    assert before.returncode == 2
    for name, setting in ((ORDER, ORDER), (f"public ({PUBLIC})", "public"), (OUTBOX, OUTBOX)):
        assert f"{name}: 404" in before.stdout
        assert f"CONSUMER_ROUTES, route {setting}, event_type" in " ".join(before.stdout.split())

    for name in (ORDER, "public", OUTBOX):
        drafted = consumer(made, "event-type", "--route", name)
        assert drafted.returncode == 0
        assert "card" not in drafted.stdout
        made.nakadi.create_event_type(json.loads(drafted.stdout))
    after = consumer(made, "check")
    assert after.returncode == 0
    for line in (
        f"{ORDER}: category data",
        f"public ({PUBLIC}): category data",
        f"{OUTBOX}: category business",
        f"{OUTBOX}: each inserted item that matches is an event",
        f"public ({PUBLIC}): a view: what enters is a C, what leaves a D",
    ):
        assert line in after.stdout

    live = ConsumerProcess(
        ["preview", "--live", "8", "--yes", "--json"],
        made.environment(),
        tmp_path / "live",
        tmp_path / "notes",
    )
    made.until(lambda: (tmp_path / "notes").read_text() != "", "reading")
    made.streams.control("write", table=TABLE, changes=CHANGES)
    worker = made.start()
    assert live.wait() == 0
    made.until(lambda: worker.metric("consumer_records_skipped_total") >= 1, "skipped")
    made.until(lambda: len(made.nakadi.log(ORDER)) == 5, "published")
    worker.stop()

    file = tmp_path / "records.jsonl"
    file.write_text("".join(f"{json.dumps(each, default=iso)}\n" for each in records(made)))
    shown = consumer(made, "preview", "--json", "--records", str(file))
    assert shown.returncode == 0
    assert shown.stdout == (tmp_path / "live").read_text()
    assert shown.stderr == ""
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert len(lines) == len(CHANGES)
    for name in (ORDER, PUBLIC, OUTBOX):
        events = [
            each["event"] for line in lines for each in line["events"] if each["event_type"] == name
        ]
        stored: Any = made.nakadi.log(name, fields="event")
        assert len(stored) == len(events) > 0
        assert all(f'"event":{each["event"]}' in shown.stdout for each in stored)  # to the byte
        assert "marked" not in json.dumps(events) or name == ORDER
    ops = [
        each["event"]["data_op"]
        for line in lines
        for each in line["events"]
        if "data" in each["event"]
    ]
    assert len(ops) == 9
    reasons = {each["reason"].split(":")[0] for line in lines for each in line["not_taken"]}
    assert reasons == {
        "filter",
        "outbox_modified",
        "a business event is made of an item's first write, not of its end",
    }


def records(made: Cluster) -> list[Any]:
    """All records of the stream, as the command line of AWS prints them."""
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    region = made.streams.environment()["AWS_REGION"]
    client = boto3.client(
        "dynamodbstreams", endpoint_url=made.streams.url, region_name=region, **keys
    )
    try:
        stream = client.describe_stream(StreamArn=made.arn)["StreamDescription"]
        found: list[Any] = []
        for shard in stream["Shards"]:
            where = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            at = client.get_shard_iterator(StreamArn=made.arn, **where)["ShardIterator"]
            found += client.get_records(ShardIterator=at)["Records"]
        return found
    finally:
        client.close()


def iso(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


def test_a_definition_that_asks_for_what_is_not_shown_is_wrong(made: Cluster) -> None:
    name = "s.hidden"
    routes = [{"event_type": name, "exclude": ["kind"]}, {"event_type": "s.absent"}]
    settings = {"CONSUMER_APPLICATION": "hidden", "CONSUMER_ROUTES": json.dumps(routes)}
    drafted = json.loads(consumer(made, "event-type", "--route", name, **settings).stdout)
    schema = json.loads(drafted["schema"]["schema"])
    schema["properties"]["kind"] = {"type": "string"}
    schema["required"].append("kind")
    drafted["partition_key_fields"] = ["kind"]
    drafted["schema"]["schema"] = json.dumps(schema)
    made.nakadi.create_event_type(drafted)
    told = consumer(made, "check", **settings)
    assert told.returncode == 2
    assert f"{name}: partition_key_fields kind are in no event" in told.stdout
    assert f"{name}: the schema requires kind, which no event has" in told.stdout


def test_a_stream_that_cannot_be_read_ends_preview_with_1(made: Cluster) -> None:
    nowhere = {"AWS_ENDPOINT_URL_DYNAMODB_STREAMS": "http://127.0.0.1:1"}
    answer = consumer(made, "preview", "--live", "5", "--yes", **nowhere)
    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (1, "", 1)
    assert answer.stderr.startswith("consumer: the stream could not be read: ")


def test_nothing_written_is_told(made: Cluster) -> None:
    answer = consumer(made, "preview", "--live", "1", "--yes")
    assert (answer.returncode, answer.stdout) == (0, "")
    assert answer.stderr == "note: reading 1 shards\nnote: no record was read\n"


def test_a_stream_that_is_throttled_is_told(made: Cluster) -> None:
    throttled = {"kind": "throttle", "operation": "GetRecords"}
    made.streams.control("faults", add=[throttled | {"count": 1}])
    once = consumer(made, "preview", "--live", "3", "--yes")
    assert once.returncode == 0
    assert "note: calls that failed, and were tried again: throttled 1 (GetRecords: " in once.stderr
    made.streams.control("faults", add=[throttled | {"count": 1000}])
    always = consumer(made, "preview", "--live", "2", "--yes")
    made.streams.control("faults", clear=True)
    assert (always.returncode, always.stdout) == (1, "")
    assert "consumer: the stream could not be read: throttled " in always.stderr
