"""Three routes on real servers: what each event type holds, restarts in the middle, what leaks."""

import json
import signal
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.crash.installation import alive, until_shared
from tests.integration.cluster import UNHURRIED, WorkerProcess
from tests.integration.consumer_process import run_consumer
from tests.integration.routed import Shop, leaks, routed

pytestmark = pytest.mark.slow

ROUNDS = 24
SLOW = {"kind": "delay", "delay": 0.3, "when": "after"}
"""Answers that come long after the events were stored: something is always in flight."""

REFUSED = {"shop.order": "o-3", "shop.line": "l-4", "shop.customer": "c-5"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with routed(tmp_path) as made:
        yield made


def test_each_event_type_holds_exactly_what_its_route_takes(shop: Shop) -> None:
    shop.cluster.settings.update(UNHURRIED)
    worker = shop.cluster.start()
    shop.write(ROUNDS)
    shop.until_told()
    logs = shop.judge()
    assert [log.repeated for log in logs.values()] == [[], [], []]
    seen = {told.operation for told in chain(*logs["shop.order"].told.values())}
    assert seen == {"C entered", "C", "U", "D left"}
    assert {told.operation for told in chain(*logs["shop.line"].told.values())} == {"C", "U"}
    assert worker.metric("consumer_records_skipped_total") > ROUNDS
    assert worker.stop()[0] == 0


def test_what_is_excluded_is_nowhere(shop: Shop) -> None:
    shop.cluster.settings.update(UNHURRIED, CONSUMER_LOG_LEVEL="DEBUG")
    for name, key in REFUSED.items():
        shop.cluster.nakadi.add_fault(kind="reject", event_type=name, field="id", value=key)
    shop.cluster.start()
    shop.write(ROUNDS // 2)
    refused = sum(len(shop.model.of(name)[key]) for name, key in REFUSED.items())
    shop.cluster.until(
        lambda: len(shop.letters()) == refused == shop.missing(), "all are events or letters"
    )
    texts = list(shop.emitted())
    assert {place for place, _ in texts} >= {*REFUSED, "dead letter", "/status", "/metrics", "/"}
    assert leaks(texts) == []
    hidden = str(shop.model.items["o-1"])
    assert leaks([("a", hidden), ("b", hidden.encode().hex())]) == ["a", "b"], "they are found"


def test_a_worker_that_is_told_to_end_repeats_nothing(shop: Shop) -> None:
    shop.cluster.settings.update(UNHURRIED)
    shop.cluster.nakadi.add_fault(**SLOW)
    old = shop.cluster.start()
    with shop:
        shop.cluster.until(lambda: len(shop.log("shop.order").told) > 3, "it publishes")
        shop.cluster.start()
        assert old.stop()[0] == 0
    shop.write(ROUNDS)
    shop.until_told()
    assert [log.repeated for log in shop.judge().values()] == [[], [], []]


def test_after_a_kill_only_what_no_checkpoint_holds_is_repeated(shop: Shop) -> None:
    shop.cluster.settings["CONSUMER_CHECKPOINT_SECONDS"] = "1"
    shop.cluster.nakadi.add_fault(**SLOW)
    for _ in range(2):
        shop.cluster.start()
    with shop:
        until_shared(shop.cluster)
        shop.cluster.until(lambda: len(shop.log("shop.order").told) > 3, "they publish")
        killed = alive(shop.cluster)[0]
        shards = killed.shards()
        killed.stop(signal.SIGKILL)
        checkpoints = checkpoints_of(shop, shards)
        shop.cluster.until(
            lambda: set(shards) <= set(held(alive(shop.cluster))), "the other has its shards"
        )
    shop.until_told()
    logs = shop.judge()
    places = shop.places()
    assert any(log.repeated for log in logs.values()), "something was in flight"
    for name, log in logs.items():
        for place in log.repeated:
            shard = places[place]
            assert place[1] > checkpoints[shard], f"{name} repeats {place} of {shard}"


def held(workers: list[WorkerProcess]) -> list[str]:
    return [shard for worker in workers for shard in worker.shards()]


def checkpoints_of(shop: Shop, shards: list[str]) -> dict[str, int]:
    """The last checkpoints of shards; what was read from the start has none."""
    listed = run_consumer(("leases", "--json"), shop.cluster.environment())
    assert listed.returncode == 0, listed.stderr
    rows = {row["shard_id"]: row["checkpoint"] for row in json.loads(listed.stdout)}
    return {shard: int(rows[shard]) if rows[shard].isdecimal() else 0 for shard in shards}
