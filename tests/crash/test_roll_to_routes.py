"""From one event type to routes, to one more route, and back, under load while shards split."""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from tests.crash.installation import alive, installation, ready, settled, until_shared
from tests.crash.one_route import as_one_route
from tests.crash.repeats import Repeats
from tests.integration.cluster import EVENT_TYPE, UNHURRIED, Cluster, definition
from tests.integration.load import Load

SECOND = "order-store.second"
SECOND_ROUTE = f"""\
  - event_type: {SECOND}
    include: [id]
    unchanged: publish
"""
SINGLE: dict[str, str] = {}
WORKERS = 2


def test_a_roll_to_routes_and_back_neither_loses_nor_repeats_nor_reorders(tmp_path: Path) -> None:
    with installation(tmp_path, UNHURRIED, shards=4) as cluster:
        cluster.nakadi.create_event_type({**definition("id"), "name": SECOND})
        for _ in range(WORKERS):
            cluster.start()
        with Load(cluster, per_second=60):
            until_shared(cluster)
            one, two = as_one_route(tmp_path), as_one_route(tmp_path, SECOND_ROUTE)
            for settings in (one, two, one, SINGLE):
                roll(cluster, settings)
        verdict = settled(cluster)
        assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)
        assert Repeats(cluster).changed() == []
        second = cluster.nakadi.log(SECOND, "eid,key,sequence,event")
        assert_in_order(second)
        theirs = {event["eid"] for event in cluster.nakadi.log(EVENT_TYPE, "eid")}
        assert len(second) == len({event["eid"] for event in second}) > 0
        assert theirs.isdisjoint(event["eid"] for event in second)
        assert {tuple(json.loads(str(event["event"]))["data"]) for event in second} <= {
            ("id", "change"),
            ("id", "patch", "change"),
        }


def roll(cluster: Cluster, settings: Mapping[str, str]) -> None:
    """Replace each worker as a deployment does, with a shard that splits beside it."""
    for worker in alive(cluster):
        new = cluster.start(**settings)
        cluster.until(partial(ready, new), "the new one is ready")
        cluster.streams.control("split", shard="random", children=2)
        assert worker.stop()[0] == 0
    until_shared(cluster)


def assert_in_order(events: Iterable[Mapping[str, object]]) -> None:
    highest: dict[object, int] = {}
    for event in events:
        sequence = int(str(event["sequence"]))
        assert sequence > highest.get(event["key"], 0)
        highest[event["key"]] = sequence
