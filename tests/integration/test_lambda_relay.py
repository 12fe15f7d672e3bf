"""The function of Lambda publishes what the service does, whatever happens to its processes."""

import asyncio
import json
import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from localdev.event_source_mapping.function import LocalFunction
from localdev.event_source_mapping.lane import MappingOptions
from localdev.event_source_mapping.mapping import Outcome
from tests.integration.cluster import Cluster, cluster, definition
from tests.integration.mapped import Mapped, events, letters, mapped

RECORDS = int(os.environ.get("LAMBDA_RECORDS", "500"))
"""How many go through both; ten thousand on demand."""

KEYS = max(100, RECORDS // 20)
REFUSED = 7
"""How many keys have events that Nakadi refuses."""

OWN = ("shard_id", "attempts", "first_attempt", "last_attempt")
"""What a letter of a function has of its own."""


def strict() -> dict[str, Any]:
    """An event type that refuses orders of much money."""
    found = definition("id")
    schema = json.loads(found["schema"]["schema"])
    schema["properties"]["amount"] = {"type": "number", "maximum": KEYS - REFUSED}
    return {**found, "schema": {"type": "json_schema", "schema": json.dumps(schema)}}


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, "--exponent-times", shards=2) as made:
        yield made


@pytest.fixture
def function(installed: Cluster) -> Iterator[Mapped]:
    with mapped(installed, definition("id")) as made:
        yield made


def by_eid(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["eid"]: each for each in found}


def by_sequence(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        each["sequence_number"]: {k: v for k, v in each.items() if k not in OWN} for each in found
    }


def sequences(installed: Cluster) -> list[int]:
    return [int(each["data"]["change"]["sequence"]) for each in events(installed.nakadi)]


def out_of_order(found: list[dict[str, Any]]) -> int:
    """How many events of a key came, for the first time, behind later ones."""
    seen: set[str] = set()
    of_key: dict[str, list[str]] = defaultdict(list)
    for each in found:
        if each["metadata"]["eid"] not in seen:
            seen.add(each["metadata"]["eid"])
            of_key[each["data"]["id"]].append(each["data"]["change"]["sequence"])
    return sum(a > b for sequences in of_key.values() for a, b in pairwise(sequences))


def test_the_service_and_the_function_publish_the_same(installed: Cluster) -> None:
    installed.settings["CONSUMER_DEAD_LETTER_LIMIT"] = "0"
    installed.fill(RECORDS, keys=KEYS, remove_every=5)
    reserved = {"id": {"S": "o-reserved"}, "change": {"S": 'is "taken"'}}
    changes = [{"expire": {"id": {"S": "o-00000003"}}}, {"put": reserved}]
    installed.streams.control("write", changes=changes)
    with mapped(installed, definition("id")) as function:
        for nakadi in (installed.nakadi, function.nakadi):
            nakadi.delete_event_type(strict()["name"])
            nakadi.create_event_type(strict())
        installed.start()
        assert function.run() == []
        ours, our_letters = events(function.nakadi), letters(installed, function.queue_url)
        written = sum(len(shard["records"]) for shard in installed.truth()[0]["shards"])
        assert len(ours) + len(our_letters) == written
        theirs: list[dict[str, Any]] = []
        their_letters: list[dict[str, Any]] = []

        def all_published() -> bool:
            their_letters.extend(letters(installed, installed.queue_url))
            theirs[:] = events(installed.nakadi)
            return len(theirs) + len(their_letters) >= written

        installed.until(all_published, "the service has published all")
    assert by_eid(ours) == by_eid(theirs)
    assert len(ours) == len(theirs)
    assert out_of_order(ours) == 0
    assert len(our_letters) == len(their_letters) > 0
    assert by_sequence(our_letters) == by_sequence(their_letters)
    assert {letter["shard_id"] for letter in our_letters} == {""}
    assert {letter["reason"] for letter in our_letters} == {"validation", "reserved_attribute"}


def test_a_function_that_is_killed_repeats_and_loses_nothing(function: Mapped) -> None:
    function.cluster.fill(600, keys=50)
    function.settings["CONSUMER_BATCH_EVENTS"] = "5"
    killed = 0

    async def kill(local: LocalFunction) -> None:
        nonlocal killed
        while killed < 2:
            await asyncio.sleep(0.02)
            busy = [each for each in local.processes if each.busy and each.alive]
            if busy and len(function.nakadi.requests()) > 20 * (killed + 1):
                busy[0].process.send_signal(signal.SIGKILL)
                killed += 1
                await asyncio.sleep(0.5)

    assert function.run(beside=kill) == []
    assert killed > 0
    found = events(function.nakadi)
    assert len(by_eid(found)) == 600
    assert out_of_order(found) == 0


@pytest.mark.parametrize("parallelization", [1, 4])
def test_outages_and_other_processes_lose_nothing(function: Mapped, parallelization: int) -> None:
    function.cluster.fill(400, keys=40)
    function.settings |= {
        "CONSUMER_LAMBDA_PATIENCE_SECONDS": "0.5",
        "CONSUMER_PUBLISH_TIMEOUT_SECONDS": "5",
    }
    function.nakadi.add_fault(kind="status", status=503, count=6, skip=1)
    options = MappingOptions(50, parallelization=parallelization, reports=True, bisect=True)
    assert function.run(options, seed=1, fresh=0.3) == []
    found = events(function.nakadi)
    assert len(by_eid(found)) == 400
    assert out_of_order(found) == 0


def test_a_mapping_that_does_not_report_gets_an_error_and_repeats_all(function: Mapped) -> None:
    function.cluster.fill(40, keys=10)
    function.settings |= {
        "CONSUMER_LAMBDA_PARTIAL": "false",
        "CONSUMER_LAMBDA_PATIENCE_SECONDS": "0.3",
        "CONSUMER_PUBLISH_TIMEOUT_SECONDS": "5",
    }
    function.nakadi.add_fault(kind="status", status=503, count=5)
    assert function.run(MappingOptions(10)) == []
    assert len(by_eid(events(function.nakadi))) == 40


def test_what_the_mapping_gave_up_becomes_letters_that_a_redrive_publishes(
    function: Mapped,
) -> None:
    """As docs/lambda.md says: the payload of an object in S3 is the event of an invocation."""
    function.cluster.fill(30, keys=10)
    function.settings["CONSUMER_MAX_RECORD_AGE_SECONDS"] = "72000"
    (stream,) = function.cluster.truth()
    old = {int(each["sequence"]) for shard in stream["shards"] for each in shard["records"]}
    gone = function.run(MappingOptions(100, age=82_800, reports=True), older=old)
    assert {each.reason for each in gone} == {"RecordAgeExceeded"}
    assert events(function.nakadi) == []
    for each in gone:
        answer = function.invoke({"Records": [*each.payload]})
        assert answer == Outcome({"batchItemFailures": []})
    assert events(function.nakadi) == []
    told = function.invoke({}, "consumer.aws_lambda.redrive")
    assert isinstance(told.answer, dict)
    assert told.answer["outcomes"] == {"accepted": 30}
    assert len(by_eid(events(function.nakadi))) == 30


@pytest.mark.parametrize("again", [False, True])
def test_the_service_hands_over_to_the_function_and_back(
    installed: Cluster, *, again: bool
) -> None:
    """As docs/lambda.md says: one ends before the other begins, which starts before that time.

    The function passes over what the service published the day before. The service goes on from its
    leases, or with `again` from the start that is computed.
    """
    with mapped(installed, definition("id")) as function:
        function.settings["CONSUMER_NAKADI_URL"] = installed.nakadi.url
        installed.fill(200, keys=40)
        worker = installed.start()
        installed.until_settled()
        old = set(sequences(installed))
        installed.fill(2_000, keys=40)
        installed.until(lambda: len(events(installed.nakadi)) > 250, "the service publishes")
        noted, age = datetime.now(UTC), worker.metric("consumer_iterator_age_seconds")
        assert worker.stop()[0] == 0
        installed.fill(200, keys=40)
        start = f"{noted - timedelta(seconds=age, minutes=1):%Y-%m-%dT%H:%M:%SZ}"
        function.settings["CONSUMER_START"] = start
        assert function.run(older=old) == []
        assert installed.verdict().lost == 0
        assert sum(each in old for each in sequences(installed)) == len(old) == 200
        installed.fill(200, keys=40)
        new = {"CONSUMER_APPLICATION": "again", "CONSUMER_START": start}
        installed.start(**new if again else {})
        verdict = installed.until_settled()
        assert (verdict.changes, verdict.lost, verdict.out_of_order) == (2_600, 0, 0)
