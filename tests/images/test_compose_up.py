"""`docker compose up`, as it stands: pages, more workers, a kill, a stand-in's restart, down.

The tests share one stack, on the ports that docker-compose.yml names.
"""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from localdev.nakadi.process import NakadiProcess
from tests.images.engine import IMAGE_TESTS, docker
from tests.images.stack import Stack, in_use, stack, until

pytestmark = IMAGE_TESTS

PORTS = (8000, 8080, 8090, 4566, 9090)
PROMETHEUS = "http://127.0.0.1:9090"
EVENT_TYPE = "order-store.order"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    for port in PORTS:
        if in_use(port):
            pytest.skip(f"port {port}, which docker-compose.yml names, is in use")
    with stack(tmp_path_factory.mktemp("up"), published=True) as made:
        took = until(lambda: start(made), "compose up")
        print(f"compose up: {took:.0f} s until all are healthy")
        yield made


def start(made: Stack, *options: str) -> bool:
    made.compose("up", "--detach", "--wait", *options)
    return True


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


def asked(url: str) -> Any:
    return json.loads(read(url))


def published() -> int:
    """How many events the local Nakadi has stored."""
    return len(NakadiProcess("http://127.0.0.1:8090", 0).log(EVENT_TYPE, "data_op"))


def until_more_is_published() -> None:
    before = published()
    until(lambda: published() > before + 20, "20 more events")


def targets() -> list[str]:
    """The health of each worker, as Prometheus sees it."""
    found = asked(f"{PROMETHEUS}/api/v1/targets?state=active")["data"]["activeTargets"]
    return [target["health"] for target in found]


def owner(made: Stack) -> str | None:
    """The container of the worker that reads the table's one shard; None between two workers."""
    (any_worker, *_) = made.containers("consumer")
    (lease,) = json.loads(docker("exec", any_worker, "consumer", "leases", "--json"))
    if lease["owner"] is None:
        return None
    return next(
        (each for each in made.containers("consumer") if lease["owner"].startswith(each[:12])),
        None,
    )


def test_all_pages_answer_and_changes_are_published(up: Stack) -> None:
    address = up.compose("port", "consumer", "8080")
    assert re.fullmatch(r"127\.0\.0\.1:808\d", address)
    assert "<html" in read(f"http://{address}/")
    assert asked(f"http://{address}/status")["application"] == EVENT_TYPE
    assert "consumer_iterator_age_seconds" in read(f"http://{address}/metrics")
    assert asked(f"http://127.0.0.1:8090/event-types/{EVENT_TYPE}/partitions")
    until_more_is_published()


def test_prometheus_scrapes_and_judges(up: Stack) -> None:
    until(lambda: targets() == ["up"], "one target that is up")
    assert "<html" in read(f"{PROMETHEUS}/alerts").lower()

    def healths() -> set[str]:
        groups = asked(f"{PROMETHEUS}/api/v1/rules")["data"]["groups"]
        return {rule["health"] for group in groups for rule in group["rules"]}

    until(lambda: healths() == {"ok"}, "every rule was evaluated")
    age = "consumer:iterator_age_seconds:max"
    query = f"{PROMETHEUS}/api/v1/query?query={age}"
    until(lambda: bool(asked(query)["data"]["result"]), age)


def test_workers_can_be_scaled_and_one_that_is_killed_is_replaced(up: Stack) -> None:
    start(up, "--scale", "consumer=3", "--no-recreate")
    assert len(up.containers("consumer")) == 3
    until(lambda: targets() == ["up"] * 3, "three targets that are up")
    until(lambda: owner(up) is not None, "an owner")
    victim = owner(up)
    assert victim is not None
    docker("kill", victim)
    took = until(lambda: owner(up) not in {None, victim}, "another owner")
    print(f"{took:.1f} s until another worker read the shard")
    until_more_is_published()
    until(lambda: targets() == ["up"] * 2, "the killed worker is no target any more")


def test_a_stand_in_that_was_started_again_has_forgotten_all_and_compose_begins_anew(
    up: Stack,
) -> None:
    up.compose("restart", "dynamodb")
    start(up, "--force-recreate")
    assert len(up.containers("consumer")) == 1
    until_more_is_published()
    until(lambda: targets() == ["up"], "one target that is up")


def test_nothing_is_left_when_it_is_down(up: Stack) -> None:
    assert up.left()
    up.down()
    assert up.left() == []
