"""Routes at their start: an event type that cannot take its events, readiness, one purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.cluster import EVENT_TYPE, Cluster, WorkerProcess, cluster, definition
from tests.integration.consumer_process import run_consumer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION = "order-store"
OTHER = "order-store.other"


def routes(*event_types: str, **settings: str) -> dict[str, str]:
    listed = json.dumps([{"event_type": name} for name in event_types])
    return {
        "CONSUMER_EVENT_TYPE": "",
        "CONSUMER_APPLICATION": APPLICATION,
        "CONSUMER_ROUTES": listed,
        "CONSUMER_PROBE_SECONDS": "0.5",
        "CONSUMER_DRAIN_SECONDS": "2",
        **settings,
    }


def made(name: str, **changes: Any) -> dict[str, Any]:
    return definition("id") | {"name": name} | changes


UNFIT = {"cleanup_policy": "compact", "partition_strategy": "random"}


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as each:
        yield each


def refused(one: Cluster, command: str, **settings: str) -> str:
    run = run_consumer([command], one.environment(**settings))
    assert run.returncode == 2, run.stdout + run.stderr
    return " ".join((run.stdout + run.stderr).split())


def readiness(worker: WorkerProcess) -> tuple[int, str]:
    try:
        return worker.get("/readyz")
    except (LookupError, OSError):
        return 0, ""


def test_an_unfit_definition_stops_its_event_type_until_it_is_changed(one: Cluster) -> None:
    one.nakadi.create_event_type(made(OTHER, **UNFIT))
    worker = one.start(**routes(EVENT_TYPE, OTHER))
    one.fill(20)
    one.until(lambda: len(one.nakadi.log(EVENT_TYPE)) == 20, "published")
    (told,) = worker.events("event_type_stopped")
    assert (told["event_type"], told["reason"]) == (OTHER, "definition")
    assert "cleanup_policy" in told["detail"]
    status = {each["name"]: each["state"] for each in worker.status()["event_types"]}
    assert status == {EVENT_TYPE: "publishing", OTHER: "stopped"}
    one.until(lambda: OTHER in readiness(worker)[1], "not ready because of it")
    assert readiness(worker)[0] == 503
    assert one.nakadi.log(OTHER) == []
    one.nakadi.delete_event_type(OTHER)
    one.nakadi.create_event_type(made(OTHER))
    one.until(lambda: len(one.nakadi.log(OTHER)) == 20, "published to the other, too")
    one.until(lambda: readiness(worker)[0] == 200, "ready")


def test_if_all_definitions_are_unfit_the_service_exits(one: Cluster) -> None:
    for name in (OTHER, "order-store.third"):
        one.nakadi.create_event_type(made(name, **UNFIT))
    said = refused(one, "run", **routes(OTHER, "order-store.third"))
    assert f"consumer: CONSUMER_ROUTES, route {OTHER}: " in said
    assert "none of the 2 routes" in said


def test_an_old_outage_does_not_keep_a_new_worker_from_being_ready(one: Cluster) -> None:
    """And an event type in which nothing was ever stored does."""
    one.nakadi.create_event_type(made(OTHER))
    worker = one.start(**routes(EVENT_TYPE, OTHER))
    one.fill(20)
    one.until(lambda: len(one.nakadi.log(OTHER)) == 20, "published")
    one.until(lambda: readiness(worker)[0] == 200, "ready")
    one.nakadi.add_fault(kind="status", status=403, event_type=OTHER)
    one.fill(20)
    one.until(lambda: bool(worker.events("event_type_stopped")), "403")
    new = one.start(**routes(EVENT_TYPE, OTHER))
    worker.stop()
    one.until(lambda: bool(new.events("event_type_stopped")), "403 for the new worker, too")
    assert readiness(new)[0] == 200
    third = one.start(**routes(EVENT_TYPE, OTHER, "order-store.absent"))
    new.stop()
    one.fill(20)
    stopped = {OTHER, "order-store.absent"}
    one.until(
        lambda: {each["event_type"] for each in third.events("event_type_stopped")} == stopped,
        "both are refused",
    )
    assert readiness(third)[0] == 503
    assert "order-store.absent" in readiness(third)[1]


def test_a_single_event_type_moves_into_routes_and_back(one: Cluster) -> None:
    one.nakadi.create_event_type(made(OTHER))
    kept = routes(EVENT_TYPE, OTHER, CONSUMER_APPLICATION=EVENT_TYPE)
    old = one.start()
    one.fill(20)
    one.until_settled()
    new = one.start(**kept)
    one.until(lambda: readiness(new)[0] == 200, "ready")
    assert old.stop()[0] == 0
    one.fill(20)
    one.until(lambda: len(one.nakadi.log(OTHER)) == 20, "published")
    back = one.start()
    one.until(lambda: readiness(back)[0] == 200, "ready")
    assert new.stop()[0] == 0
    assert "share" not in refused(one, "run", CONSUMER_LAYOUT="nested")
    third = refused(one, "run", **routes("order-store.third", CONSUMER_APPLICATION=EVENT_TYPE))
    assert f"{EVENT_TYPE}, {OTHER}" in third


def test_a_second_sender_is_refused_by_run_and_check(one: Cluster) -> None:
    one.nakadi.create_event_type(made(OTHER))
    old = one.start()
    one.until(lambda: readiness(old)[0] == 200, "ready")
    for command in ("run", "check"):
        said = refused(one, command, **routes(OTHER, EVENT_TYPE))
        assert "two senders" in said
        assert f"application {EVENT_TYPE}" in said
    accepted = one.start(**routes(OTHER, EVENT_TYPE, CONSUMER_ACCEPT_CHANGE="true"))
    one.until(lambda: readiness(accepted)[0] == 200, "ready")
    (warned,) = accepted.events("second_sender")
    assert warned["application"] == EVENT_TYPE
