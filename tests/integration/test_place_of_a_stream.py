"""Starts that are refused because readers or Nakadi would not take what events say of a stream."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.adapters.aws.aws import Aws
from consumer.adapters.clock import SystemClock
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.core.leases.lease import StreamRow
from consumer.core.stream.stream import Stream
from tests.integration.cluster import EVENT_TYPE, Cluster, cluster, definition
from tests.integration.consumer_process import run_consumer

CLOSED = "order-store.closed"


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


async def write(one: Cluster, monkeypatch: pytest.MonkeyPatch, *rows: StreamRow) -> None:
    """Write stream rows of the application."""
    for name, value in one.environment().items():
        monkeypatch.setenv(name, value)
    async with Aws() as client:
        store = LeaseTable(
            await client.dynamodb(2),
            SystemClock(),
            table="consumer-leases",
            application=EVENT_TYPE,
            request_seconds=5.0,
        )
        await store.ensure_table(create=True)
        for row in rows:
            await store.create_stream(row)


def row_of(stream: Stream, prefix: str | None) -> StreamRow:
    return StreamRow(
        arn=stream.arn,
        table=stream.table,
        label=stream.label,
        after=None,
        start_position="TRIM_HORIZON",
        started_at=None,
        bootstrapped=True,
        sweep_n=0,
        sweep_done=0,
        changes=0,
        fingerprint=json.dumps({"event_type": EVENT_TYPE}),
        stream_prefix=prefix,
    )


def refused(one: Cluster, **settings: str) -> str:
    """What `run` and `check` say, which both exit with 2."""
    run = run_consumer(["run"], one.environment(**settings))
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    check = run_consumer(["check"], one.environment(**settings))
    assert check.returncode == 2
    return run.stderr + check.stdout


def without_stream(name: str) -> dict[str, Any]:
    """An event type that takes the events of version 0.1.0 and no others."""
    made = definition("id") | {"name": name, "ordering_key_fields": ["data.change.sequence"]}
    schema = json.loads(made["schema"]["schema"])
    del schema["properties"]["change"]["properties"]["stream"]
    schema["properties"]["change"]["additionalProperties"] = False
    return made | {"schema": {"type": "json_schema", "schema": json.dumps(schema)}}


def test_a_schema_without_room_for_the_stream_is_refused(one: Cluster) -> None:
    one.nakadi.create_event_type(without_stream(CLOSED))
    said = refused(one, CONSUMER_EVENT_TYPE=CLOSED)
    assert f"consumer: CONSUMER_EVENT_TYPE: {CLOSED}: the schema's change has no stream" in said
    assert 'add to its properties: "stream": {"type": "string"}' in said
    assert "change.sequence only" in said


async def test_of_several_event_types_one_without_room_ends_the_first_worker_of_a_roll(
    one: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.nakadi.create_event_type(without_stream(CLOSED))
    settings = {
        "CONSUMER_APPLICATION": EVENT_TYPE,
        "CONSUMER_EVENT_TYPE": "",
        "CONSUMER_ROUTES": json.dumps([{"event_type": EVENT_TYPE}, {"event_type": CLOSED}]),
    }
    await write(one, monkeypatch, row_of(Stream.from_arn(one.arn), None))
    assert f"route {CLOSED}: {CLOSED}: the schema's change has no stream" in refused(
        one, **settings
    )
    one.nakadi.create_event_type(definition("id") | {"name": "order-store.open"})
    opened = [{"event_type": EVENT_TYPE}, {"event_type": "order-store.open"}]
    worker = one.start(**settings | {"CONSUMER_ROUTES": json.dumps(opened)})
    one.fill(5)
    one.until(lambda: len(one.nakadi.log("order-store.open")) == 5, "published")
    # A worker of this version has started: from here on an event type stops itself.
    later = one.start(**settings)
    one.until(lambda: bool(later.events("event_type_stopped")), "stopped")
    assert worker.stop()[0] == 0
    one.until(lambda: len(later.shards()) == 1, "the other publishes")


async def test_a_stream_whose_events_would_sort_below_those_of_another_is_not_read(
    one: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Stream.from_arn(one.arn)
    label = "2999-01-01T00:00:00.000"
    arn = one.arn.replace(f"{ours.table}/stream/{ours.label}", f"before/stream/{label}")
    other = row_of(Stream.from_arn(arn), "")
    silent = replace(other, label="2999-02-01T00:00:00.000", stream_prefix=None)
    await write(one, monkeypatch, other, silent)
    said = refused(one)
    assert f"events of stream {ours.key} would say '{ours.label}'" in said
    assert f"those of stream before/{label} say '{label}'" in said
    worker = one.start(CONSUMER_STREAM_PREFIX="b-")
    one.fill(3)
    one.until(lambda: len(one.nakadi.log(EVENT_TYPE)) == 3, "published")
    texts = [json.loads(str(each["event"])) for each in one.nakadi.log(EVENT_TYPE, fields="event")]
    assert {text["data"]["change"]["stream"] for text in texts} == {f"b-{ours.label}"}
    worker.stop()
    again = run_consumer(["run"], one.environment(CONSUMER_STREAM_PREFIX="c-"))
    assert again.returncode == 2
    assert "CONSUMER_STREAM_PREFIX: found 'c-', but the events of stream" in again.stderr
