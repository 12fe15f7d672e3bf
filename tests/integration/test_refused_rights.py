"""Nothing reports healthy while it stands still: a role that lacks a right, a stopped event type.

Each worker is `consumer run` on a lease table that refuses operations as IAM does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.cluster import Cluster, WorkerProcess, cluster
from tests.integration.consumer_process import run_consumer
from tests.integration.refusing_proxy import RefusingProxy, refusing_proxy, words

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests; each has an application of its own."""
    with cluster(tmp_path_factory.mktemp("refused")) as one:
        one.settings |= {"CONSUMER_SCAN_SECONDS": "0.5", "CONSUMER_HEARTBEAT_SECONDS": "1"}
        yield one


@pytest.fixture
def table(made: Cluster) -> Iterator[RefusingProxy]:
    with refusing_proxy(made.leases_url) as proxy:
        made.leases_url, before = proxy.url, made.leases_url
        yield proxy
        for worker in made.workers:
            worker.process.kill()
        made.leases_url = before


def readiness(worker: WorkerProcess) -> tuple[int, str]:
    try:
        return worker.get("/readyz")
    except (LookupError, OSError):
        return 0, ""


@pytest.mark.parametrize(
    ("operation", "event", "says"),
    [
        ("Query", "peers_unread", "the workers have not been read yet"),
        ("PutItem", "heartbeat_failed", "the lease table has not been reached yet"),
        ("UpdateItem", "sweep_failed", "fails and never succeeded"),
    ],
)
def test_a_role_without_a_right_is_not_ready_and_says_in_awss_words_which(
    made: Cluster, table: RefusingProxy, operation: str, event: str, says: str
) -> None:
    table.refused = frozenset({operation})
    worker = made.start(CONSUMER_APPLICATION=f"without-{operation}")
    made.until(lambda: bool(worker.events(event)), f"{event} is logged")
    line = worker.events(event)[-1]
    assert line["reason"] == "access_denied"
    assert words(operation) in line["detail"]
    made.until(lambda: words(operation) in readiness(worker)[1], "it says why it is not ready")
    status, text = readiness(worker)
    assert status == 503
    assert says in text
    assert "access_denied" in text
    if operation == "Query":
        age = worker.metric("consumer_iterator_age_seconds")
        assert age > 0.0
        assert worker.status()["age_seconds"] >= age
    table.refused = frozenset()
    made.until(lambda: readiness(worker)[0] == 200, "it is ready once it has the right")


def test_check_and_leases_say_what_is_wrong_in_a_worker_that_runs(
    made: Cluster, table: RefusingProxy
) -> None:
    settings = {"CONSUMER_APPLICATION": "told"}
    worker = made.start(**settings)
    made.until(lambda: readiness(worker)[0] == 200, "ready")
    assert worker.status()["event_types"][0]["state"] == "nothing_sent"
    environment = made.environment(**settings)
    sound = run_consumer(["check"], environment)
    assert sound.returncode == 0, sound.stdout
    assert "1 worker, 1 stream" in sound.stdout
    assert "\nworker " not in sound.stdout
    assert "\nshards " not in sound.stdout
    fault = made.nakadi.add_fault(kind="status", status=404, on="publish")
    made.fill(1)
    made.until(lambda: worker.status()["condition"]["state"] == "stopped", "stopped")
    (event_type,) = worker.status()["event_types"]
    assert (event_type["state"], event_type["reason"]) == ("stopped", "http_404")
    assert event_type["since"]
    assert event_type["flow_id"]
    assert "create the event type" in event_type["action"]
    made.until(lambda: "stopped" in run_consumer(["leases"], environment).stdout, "leases tells it")
    check = run_consumer(["check"], environment)
    assert check.returncode == 2, check.stdout
    assert "http_404" in check.stdout
    other = made.start(**settings)
    made.until(
        lambda: (
            readiness(other)[0] == 200
            and [row["state"] for row in other.status()["workers"]] == ["stopped"]
        ),
        "a peer's page tells it",
    )
    made.nakadi.remove_faults(fault)


def test_a_pause_says_who_when_and_why_wherever_it_is_shown(
    made: Cluster, table: RefusingProxy
) -> None:
    worker = made.start(CONSUMER_APPLICATION="paused")
    made.until(lambda: readiness(worker)[0] == 200 and bool(worker.shards()), "reads")
    environment = made.environment(CONSUMER_APPLICATION="paused")
    for needless in ("CONSUMER_NAKADI_URL", "CONSUMER_EVENT_TYPE"):
        del environment[needless]
    paused = run_consumer(["pause", "--yes", "--reason", "a new schema"], environment)
    assert paused.returncode == 0, paused.stderr
    for name in ("CONSUMER_STREAM_ARN", "CONSUMER_DEAD_LETTER_QUEUE_URL"):
        del environment[name]
    (line,) = json.loads(run_consumer(["leases", "--json"], environment).stdout)
    assert (line["paused"], line["paused_reason"]) == (True, "a new schema")
    assert line["paused_at"] > 0
    assert f"by {line['paused_by']}: a new schema" in run_consumer(["leases"], environment).stdout
    (shard,) = worker.status()["shards"]
    assert (shard["state"], shard["since"]) == ("paused", line["paused_at"])
    assert shard["reason"] == f"paused by {line['paused_by']}: a new schema"
    assert run_consumer(["gaps"], environment).returncode == 0
