"""SIGTERM in the first seconds of a process, also of the first one of a container.

For the first process of a PID namespace the kernel has no default action: what it does not handle
is lost.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import boto3
import pytest

from tests.integration.cluster import CONSUMER, UNHURRIED, Cluster, WorkerProcess, cluster
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]

AFTER = (0.0, 0.3, 0.6, 1.0, 1.5, 2.0, 3.0, "starting", "lease_taken")
"""Seconds since the start, or the log event by which a slow machine has come as far."""
GONE_SECONDS = 15.0
"""It takes less than a second. A signal that is lost costs all of the grace period."""
GRACE_SECONDS = 35.0
"""Then the platform kills the process."""
TERMINATED = 143
LOOK_SECONDS = 0.01

NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
UNSHARE = shutil.which(NAMESPACE[0]) is not None and not subprocess.call(
    [*NAMESPACE, "true"], stderr=subprocess.DEVNULL
)
PLACES = (
    pytest.param((), id="beside-others"),
    pytest.param(
        NAMESPACE,
        id="as-pid-1",
        marks=pytest.mark.skipif(not UNSHARE, reason="no PID namespace can be made (needs root)"),
    ),
)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, shards=4) as running:
        running.settings.update(UNHURRIED)
        yield running


def entry_point() -> list[str]:
    """What the image starts, without its arguments."""
    (words,) = re.findall(
        r"^ENTRYPOINT (.*\"consumer\"\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    return list(json.loads(words))


class Container:
    """A command in place of a container of the image; `pid` is that of its first process."""

    def __init__(self, made: Cluster, namespace: tuple[str, ...], *words: str) -> None:
        self.log = made.folder / f"{time.monotonic_ns()}.log"
        path = f"{Path(CONSUMER).parent}:{os.environ['PATH']}"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [*namespace, *entry_point(), *words],
                env=made.environment(PATH=path),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._forked() if namespace else self.process.pid
        self.started = time.monotonic()

    def _forked(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        until(lambda: children.read_text() != "", "a process in the namespace")
        return int(children.read_text())

    def wait_for(self, after: float | str) -> None:
        """Wait for seconds since the start, but until it keeps the signal, or for an event."""
        if isinstance(after, str):
            until(lambda: bool(self.events(after)), after)
        else:
            until(lambda: after > 0 or self.keeps_the_signal(), "it keeps the signal")
            time.sleep(max(0.0, self.started + after - time.monotonic()))

    def keeps_the_signal(self) -> bool:
        """Whether SIGTERM is blocked or handled, and not only until unshare has begun the program.

        It blocks the signal while it forks, and its child lets go of it before it becomes `env`.
        """
        status = Path(f"/proc/{self.pid}/status").read_text()
        if re.search(rf"^Name:\s+{NAMESPACE[0]}$", status, re.MULTILINE):
            return False
        masks = re.findall(r"^Sig(?:Blk|Cgt):\s+([0-9a-f]+)$", status, re.MULTILINE)
        return any(int(mask, 16) >> (signal.SIGTERM - 1) & 1 for mask in masks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM; exit code, and seconds until it has gone."""
        signalled = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        try:
            code = self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        return code, time.monotonic() - signalled

    def events(self, name: str) -> list[dict[str, str]]:
        lines = self.log.read_text().splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in told if line["event"] == name]


def until(true: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < give_up_at, what
        time.sleep(LOOK_SECONDS)


def owners(made: Cluster) -> set[str]:
    """Who is named as the owner of a lease."""
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    region = made.arn.split(":")[3]
    table = boto3.client("dynamodb", endpoint_url=made.leases_url, region_name=region, **keys)
    try:
        rows = table.scan(TableName="consumer-leases", ConsistentRead=True)["Items"]
    except table.exceptions.ResourceNotFoundException:
        return set()
    finally:
        table.close()
    return {row["leaseOwner"]["S"] for row in rows if "leaseOwner" in row}


@pytest.mark.slow
@pytest.mark.parametrize("namespace", PLACES)
def test_a_worker_that_is_stopped_at_its_start_takes_nothing_any_more(
    made: Cluster, namespace: tuple[str, ...]
) -> None:
    made.fill(300)
    for after in AFTER:
        with Container(made, namespace, "run") as container:
            container.wait_for(after)
            code, seconds = container.stop()
        print(f"SIGTERM after {after}: exit code {code} within {seconds:.2f} s")
        began_to_stop = bool(container.events("stopping"))
        assert code == (0 if began_to_stop else TERMINATED), container.log.read_text()
        assert seconds < GONE_SECONDS
        assert owners(made) == set()
    made.start()
    verdict = made.until_settled()
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)


@pytest.mark.skipif(not UNSHARE, reason="no PID namespace can be made (needs root)")
def test_a_command_that_is_the_first_process_can_be_stopped(made: Cluster) -> None:
    worker: WorkerProcess = made.start()
    made.until(lambda: len(worker.shards()) == 4, "the worker reads")
    with Container(made, NAMESPACE, "leases", "--watch") as container:
        until(lambda: "shardId-" in container.log.read_text(), "it lists the shards")
        code, seconds = container.stop()
    assert (code, seconds < GONE_SECONDS) == (TERMINATED, True)
