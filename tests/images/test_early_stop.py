"""SIGTERM in the first seconds of a worker that is PID 1 of its container, as everywhere it runs.

PID 1 has no default action: a signal that comes before the handler stands would be lost, and the
worker would take leases and publish until it is killed.
"""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest

from tests.images.engine import IMAGE_TESTS, docker, inspect
from tests.images.stack import Stack, stack, until

pytestmark = IMAGE_TESTS

STOPPED = {0, 143}
"""The exit codes of a worker that was told to stop: after a drain, and before it had begun."""

ENDS_WITHIN = 5.0
"""Seconds from the signal to the end. A quiet machine needs less than one."""

HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")  # noqa: S108 - in a container


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Table, queue, event type, and a lease table that a worker has made."""
    with stack(tmp_path_factory.mktemp("alone"), published=False) as made:
        made.compose("run", "--rm", "setup")
        yield made


@pytest.fixture
def settings(stand_ins: Stack) -> dict[str, str]:
    return dict(stand_ins.definition("consumer")["environment"])


def worker(made: Stack, image: str, settings: Mapping[str, str]) -> str:
    """Start a worker among the stand-ins, and return its container."""
    given = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
    return docker("run", "--detach", "--network", made.network, *HARDENED, *given, image)


def logged(container: str) -> list[dict[str, Any]]:
    """The lines that a worker has written so far."""
    return [json.loads(line) for line in docker("logs", container).splitlines() if line]


def moment(text: str) -> datetime:
    """A time as Docker writes it, in UTC and with up to nine digits behind the second."""
    return datetime.fromisoformat(f"{text.rstrip('Z')[:26]}Z")


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1, 1.5, 2, 3, 8])
def test_a_worker_that_is_told_to_stop_ends_and_leaves_no_lease(
    image: str, stand_ins: Stack, settings: dict[str, str], seconds: float
) -> None:
    settings["CONSUMER_APPLICATION"] = f"stopped-{seconds:g}".replace(".", "-")
    container = worker(stand_ins, image, settings)
    try:
        began = moment(inspect(container)["State"]["StartedAt"])
        time.sleep(max(0, seconds - (datetime.now(began.tzinfo) - began).total_seconds()))
        signalled = datetime.now(began.tzinfo)
        docker("kill", "--signal", "TERM", container)
        until(lambda: not inspect(container)["State"]["Running"], "its end", 2 * ENDS_WITHIN)
        state = inspect(container)["State"]
        took = (moment(state["FinishedAt"]) - signalled).total_seconds()
        events = [line["event"] for line in logged(container)]
        print(f"{seconds:g} s: exit {state['ExitCode']} after {took:.2f} s, {events}")
        assert state["ExitCode"] in STOPPED
        assert took < ENDS_WITHIN
        if "stopping" in events:
            assert "lease_taken" not in events[events.index("stopping") :]
        assert events.count("lease_taken") == events.count("lease_released")
    finally:
        docker("rm", "--force", container)
