"""From a Lambda relay to the consumer and back, as the README says.

The plain relay of the benchmarks stands for the Lambda: another reader of the same shards, with
positions of its own, that publishes to the same event type.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.cluster import EVENT_TYPE, Cluster, cluster, definition
from tests.integration.load import Load

SHADOW = "order-store.order-shadow"


@contextmanager
def other_relay(at: Cluster) -> Iterator[None]:
    """It reads every shard from its oldest record on, and publishes, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.plain_relay", at.arn, at.nakadi.url],
        env={**os.environ, **at.environment()},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, shards=2) as made:
        yield made


def test_beside_another_relay_both_read_every_shard_without_being_throttled(here: Cluster) -> None:
    here.nakadi.create_event_type({**definition("id"), "name": SHADOW})
    with other_relay(here):
        worker = here.start(CONSUMER_EVENT_TYPE=SHADOW, CONSUMER_DATA_TYPE=EVENT_TYPE)
        here.until(lambda: len(worker.shards()) == 2, "both shards held")
        with Load(here, per_second=100):
            here.until(lambda: here.verdict().events > 500, "the other relay publishes")
        here.until_settled()
        changes = here.verdict().changes
        here.until(lambda: len(here.nakadi.log(SHADOW)) == changes, "the shadow has it all")
    throttled = f'{{application="{SHADOW}",outcome="throttled"}}'
    assert worker.metric(f"consumer_get_records_requests_total{throttled}") == 0
    shadow = {event["eid"] for event in here.nakadi.log(SHADOW, fields="eid")}
    assert shadow == {event["eid"] for event in here.nakadi.log(EVENT_TYPE, fields="eid")}


def test_switching_over_at_a_time_repeats_what_came_since_and_loses_nothing(here: Cluster) -> None:
    with Load(here, per_second=100):
        with other_relay(here):
            here.until(lambda: here.verdict().events > 200, "the other relay publishes")
        stopped = datetime.now(UTC)
        published = here.verdict().events
        start = stopped - timedelta(seconds=2)  # README: the lag of the other relay, and a margin
        worker = here.start(CONSUMER_START=start.strftime("%Y-%m-%dT%H:%M:%SZ"))
        here.until(lambda: here.verdict().events > published + 200, "the consumer publishes")
    verdict = here.until_settled()
    assert (verdict.lost, verdict.out_of_order) == (0, 0)
    assert verdict.duplicated > 0  # the margin, floored to the minute, so that none is missed

    assert worker.stop()[0] == 0
    here.fill(50)
    with other_relay(here):  # back again: it goes on where it stood, here at the beginning
        verdict = here.until_settled()
    assert (verdict.lost, verdict.out_of_order) == (0, 0)
