"""A worker whose log nobody reads, one without standard streams, and rows that hold commands."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.full_pipe import full_pipe
from tests.integration.cluster import Cluster, cluster
from tests.integration.consumer_process import run_consumer
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EVIL = "a\x1b[2J\x9b31mb"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("streams")) as made:
        yield made


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def answer(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as found:
        text: str = found.read().decode()
        return text


def test_a_worker_goes_on_while_nobody_reads_its_log(here: Cluster) -> None:
    """Its stdout and stderr are one pipe, full from the start, and whose reader never reads."""
    reader, writer = full_pipe()
    port = free_port()
    worker = subprocess.Popen(
        [sys.executable, "-m", "consumer", "run"],
        cwd=ROOT,
        env=here.environment(CONSUMER_HTTP_PORT=str(port)),
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
    )
    os.close(writer)
    try:
        here.fill(50)
        here.until_settled()
        assert answer(port, "/livez") == "ok\n"
        assert "consumer_log_lines_dropped_total" in answer(port, "/metrics")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    finally:
        worker.kill()
        worker.wait(PATIENCE)
        os.close(reader)


def test_a_worker_without_standard_streams(here: Cluster) -> None:
    port = free_port()
    worker = subprocess.Popen(
        ["sh", "-c", f"exec {sys.executable} -m consumer run <&- >&- 2>&-"],
        cwd=ROOT,
        env=here.environment(CONSUMER_HTTP_PORT=str(port)),
    )
    try:
        here.fill(10)
        here.until_settled()
        places = {Path(f"/proc/{worker.pid}/fd/{number}").readlink() for number in range(3)}
        assert places == {Path("/dev/null")}
        assert answer(port, "/livez") == "ok\n"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    finally:
        worker.kill()
        worker.wait(PATIENCE)


def test_no_command_prints_what_a_row_tells_the_terminal(here: Cluster) -> None:
    worker = here.start()
    here.fill(1)
    here.until_settled()
    worker.stop()
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    region = here.arn.split(":")[3]
    db = boto3.client("dynamodb", endpoint_url=here.leases_url, region_name=region, **keys)

    def put(row: dict[str, Any]) -> None:
        db.put_item(TableName="consumer-leases", Item=row)

    for row in db.scan(TableName="consumer-leases")["Items"]:
        if "leaseCounter" in row:
            put(row | {"leaseOwner": {"S": f"{EVIL}\nevil"}})
            gap = {"from": {"S": "1"}, "reason": {"S": EVIL}, "detectedAt": {"N": "1"}}
            place = row["key"]["S"].replace("lease/", "gap/") + "/1"
            put(row | {"key": {"S": place}} | gap)
            put(row | {"key": {"S": row["key"]["S"] + "-bad"}, "checkpoint": {"S": EVIL}})
    db.close()
    texts = {}
    for words in ("leases", "leases --json", "gaps", "gaps --json", "pause --dry-run"):
        shown = run_consumer(words.split(), here.environment())
        assert (shown.returncode, "a\\u001b[2J\\u009b31mb" in shown.stdout) == (0, True), shown
        assert (shown.stdout + shown.stderr).replace("\n", "").isprintable()
        texts[words] = shown.stdout
    states = {line["state"] for line in json.loads(texts["leases --json"])}
    assert states == {"silent", "unreadable"}, "one bad row hides no other"
