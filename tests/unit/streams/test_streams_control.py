"""The control endpoint, and the server as a process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localdev.streams.process import StreamsProcess, streams_process
from tests.patience import PATIENCE
from tests.unit.streams.streams_wire import create_table, post, read_tree, settings, shards, told

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("command", "members", "error"),
    [
        ("none", {}, "no command"),
        ("split", {"shards": "all"}, "shards"),
        ("split", {"stream": "none"}, "not found"),
        ("fill", {}, "records"),
        ("fill", {"records": 1, "keys": 0}, "at least one key"),
        ("faults", {"add": [{"kind": "none"}]}, "kind"),
        ("faults", {"add": [{"kind": "slow", "second": 1}]}, "second"),
        ("options", {"children_delay": "long"}, "children_delay"),
        ("options", {"lies": {"page": 0}}, "100 shards"),
        ("options", {"lies": {"pages": 1}}, "pages"),
        ("options", {"empty_pages": 2}, "0 to 1"),
        ("lie", {}, "kind"),
        ("lie", {"kind": "open"}, "no shard"),
        ("write", {"changes": [{}]}, "expire"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(
    server: StreamsProcess, table: str, command: str, members: dict[str, Any], error: str
) -> None:
    takes_table = command in ("fill", "write", "lie") or members.keys() == {"shards"}
    with pytest.raises(ValueError, match=error):
        server.control(command, **({"table": table} if takes_table else {}), **members)


def test_commands_that_write_and_switch(
    server: StreamsProcess, streams: Any, table: str, arn: str
) -> None:
    changes = [
        {"put": {"id": {"S": "k"}, "n": {"N": "1"}}},
        {"put": {"id": {"S": "k"}, "n": {"N": "1.0"}}},
        {"expire": {"id": {"S": "k"}}},
        {"put": {"id": {"S": "k"}}},
        {"delete": {"id": {"S": "k"}}},
    ]
    assert server.control("write", table=table, changes=changes) == {"records": 4}
    records = read_tree(streams, arn)
    assert [record.get("userIdentity") is not None for record in records] == [
        False, True, False, False,
    ]  # fmt: skip
    parent: Any = server.control("split", table=table, children=3)
    assert (len(parent["closed"]), len(parent["opened"])) == (1, 3)
    child_filter = {"Type": "CHILD_SHARDS", "ShardId": parent["closed"][0]}
    server.control("options", children_delay=3600)
    assert shards(streams, arn, ShardFilter=child_filter) == []
    server.control("options", children_delay=0, child_filter=False)
    assert len(shards(streams, arn, ShardFilter=child_filter)) == 5
    options = server.control("options", child_filter=True)
    assert options["child_filter"] is True
    disabled = server.control("stream", table=table, enabled=False)
    enabled = server.control("stream", table=table, enabled=True)
    assert disabled["arn"] == arn != enabled["arn"]


def test_listings_lie_on_demand_and_all_the_time(
    server: StreamsProcess, streams: Any, table: str, arn: str
) -> None:
    made: Any = server.control("split", table=table, shard="random")
    (parent,), (child, other) = made["closed"], made["opened"]
    assert server.control("lie", table=table, kind="hidden", shard=child, seconds=3600) == {
        "shards": [child]
    }
    server.control("lie", table=table, kind="open", shard="all", seconds=3600)
    shown = {shard["ShardId"]: shard["SequenceNumberRange"] for shard in shards(streams, arn)}
    assert other in shown
    assert child not in shown
    assert not any("EndingSequenceNumber" in numbers for numbers in shown.values())
    assert parent in shown
    options: Any = server.control("options", lies={"page": 1})
    assert len(shards(streams, arn)) == 1
    assert options["lies"]["lag"] == 0
    server.control("options", lies={"hidden": 36e6, "page": 100})
    opened: Any = server.control("rotate", table=table, shard=other)["opened"]
    assert opened[0] not in [shard["ShardId"] for shard in shards(streams, arn)]
    kept: Any = server.control("options", lies={"hidden": 0, "lag": 0.0, "open_still": 2.0})["lies"]
    assert (kept["hidden"], kept["open_still"]) == (0, 2)
    kept = server.control("options", lies={"open_still": 0.0, "last_named": 0.5})["lies"]
    assert (kept["open_still"], kept["last_named"]) == (0, 0.5)
    kept = server.control("options", lies={"page": 50})["lies"]
    assert (kept["page"], kept["last_named"]) == (50, 0.5)
    server.control("options", lies={"page": 100, "last_named": 0})
    assert opened[0] in [shard["ShardId"] for shard in shards(streams, arn)]


def test_calls_beyond_the_documented_rates_are_throttled_on_demand(
    server: StreamsProcess, streams: Any, arn: str
) -> None:
    def calls(call: Callable[[], object]) -> None:
        for _ in range(1000):
            call()

    server.control("options", call_limits=True)
    try:
        with pytest.raises(ClientError, match="ThrottlingException"):
            calls(streams.list_streams)
        with pytest.raises(ClientError, match="ThrottlingException"):
            calls(lambda: shards(streams, arn))
    finally:
        server.control("options", call_limits=False)
    assert shards(streams, arn)


def test_fills_write_what_changes_something_and_remove_now_and_then(
    server: StreamsProcess, table: str
) -> None:
    def names_of_first_item() -> list[str]:
        return [
            record["eventName"]
            for shard in told(server, table=table)["shards"]
            for record in shard["records"]
            if record["keys"] == {"id": {"S": "o-00000000"}}
        ]

    for _ in range(2):  # the second goes on where the first ended
        assert server.control("fill", table=table, records=4, keys=4) == {"records": 4}
    assert names_of_first_item() == ["INSERT", "MODIFY"]
    server.control("fill", table=table, records=12, keys=4, remove_every=2)
    assert names_of_first_item()[2:] == ["MODIFY", "REMOVE", "INSERT"]


def test_faults_still_to_come_are_told_and_cleared(server: StreamsProcess) -> None:
    fault = {"kind": "slow", "operation": "none", "count": None, "seconds": 3.0}
    waiting: Any = server.control("faults", add=[fault])["waiting"]
    assert [one.items() >= fault.items() for one in waiting] == [True]
    assert server.control("faults", clear=True) == {"waiting": []}


def test_stats_count_calls_errors_and_faults(server: StreamsProcess, iterator: str) -> None:
    assert post(server, "GetRecords", ShardIterator=iterator).status == 200
    before: Any = server.control("stats")
    server.control("faults", add=[{"kind": "throttle"}])
    assert post(server, "GetRecords", ShardIterator=iterator).status == 400
    assert post(server, "GetRecords", ShardIterator=iterator).status == 200
    after: Any = server.control("stats")
    assert after["operations"]["GetRecords"] == before["operations"]["GetRecords"] + 2
    assert after["faults"]["throttle"] == before["faults"].get("throttle", 0) + 1
    assert sum(after["get_records"].values()) == sum(before["get_records"].values()) + 2


def test_shards_split_and_age_by_themselves() -> None:
    with (
        streams_process("--split-every", "0.02", "--retention", "0.5") as server,
        closing(boto3.client("dynamodb", **settings(server))) as database,
    ):
        create_table(database, "T", "NEW_IMAGE")
        deadline = time.monotonic() + PATIENCE
        known: list[Any] = []
        while not any(shard["gone"] for shard in known):
            assert time.monotonic() < deadline
            known = told(server)["shards"]
        assert len(known) > 2
        assert all(shard["parent"] is not None for shard in known[1:])


def test_the_process_is_gone_when_its_context_ends() -> None:
    with streams_process() as server:
        assert server.control("stats")["operations"] == {}
        assert server.environment()["AWS_ENDPOINT_URL_DYNAMODB_STREAMS"] == server.url
        os.kill(server.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


def test_the_server_ends_well_on_sigterm() -> None:
    command = [sys.executable, "-m", "localdev.streams"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"http://127.0.0.1:")
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_a_server_that_does_not_come_up_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="did not start"), streams_process("--host", "192.0.2.1"):
        pass
