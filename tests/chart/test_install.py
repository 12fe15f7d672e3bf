"""From rendered manifests to a consumer that runs with their very environment, on local services.

What a cluster would add is added here: the mounted token, AWS's address and credentials, and
127.0.0.1 instead of all interfaces.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import yaml

from localdev.aws.process import AwsProcess
from localdev.nakadi.process import NakadiProcess, RefusedError
from localdev.workload.aws_client import aws_client
from localdev.workload.change import Insert
from localdev.workload.event_type import event_type
from localdev.workload.table import OrderTable
from tests.chart.bench import Bench
from tests.chart.proofs.service_proofs import environment
from tests.chart.rendering import Manifest, Rendered, render
from tests.chart.test_platform import block
from tests.chart.tools import Tools
from tests.chart.values_file import CHART
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow

CONSUMER = str(Path(sys.executable).with_name("consumer"))
EVENT_TYPE = "chart.order"
TABLE = "chart-orders"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def installed(
    kit: Tools, tmp_path: Path, ministack: AwsProcess, nakadi_server: NakadiProcess
) -> Rendered:
    """Table, lease table and event type as a platform makes them, and the chart for them."""
    aws = ministack.environment()
    OrderTable(TABLE, aws).create()
    make_lease_table(ministack, next(yaml.safe_load_all(block("yaml", "ACK")))["spec"])
    with suppress(RefusedError):  # it is there
        nakadi_server.create_event_type(event_type(EVENT_TYPE))
    (tmp_path / "token").write_text("local\n")
    flags = (
        "token.secretName=",
        f"config.nakadi_token_file={tmp_path / 'token'}",
        f"config.table={TABLE}",
        f"config.event_type={EVENT_TYPE}",
        f"config.nakadi_url={nakadi_server.url}",
        f"config.http_port={free_port()}",
    )
    helm = next(iter(kit.helms.values()))
    more = [word for flag in flags for word in ("--set", flag)]
    return render(helm, CHART, Bench.values("minimal"), *more)


def make_lease_table(aws: AwsProcess, ack: Manifest) -> None:
    """Create the table of an ACK manifest, whose fields are those of the API."""
    client = aws_client("dynamodb", aws.environment())
    with suppress(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName=ack["tableName"],
            BillingMode=ack["billingMode"],
            AttributeDefinitions=[capital(each) for each in ack["attributeDefinitions"]],
            KeySchema=[capital(each) for each in ack["keySchema"]],
        )
    client.close()


def capital(names: dict[str, str]) -> dict[str, str]:
    return {name[0].upper() + name[1:]: each for name, each in names.items()}


def container(case: Rendered, kind: str) -> Manifest:
    spec = case.the(kind)["spec"]
    (found,) = spec.get("template", {"spec": spec})["spec"]["containers"]
    made: Manifest = found
    return made


@contextmanager
def started(
    case: Rendered, kind: str, aws: AwsProcess, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """What the kubelet would start for the only container of this manifest."""
    own = container(case, kind)
    env = {"PATH": os.environ["PATH"], **environment(case, own)}
    env |= {**aws.environment(), "AWS_REGION": env["AWS_REGION"], "CONSUMER_HTTP_HOST": "127.0.0.1"}
    with log.open("wb") as out:
        process = subprocess.Popen([CONSUMER, *own["args"]], env=env, stdout=out, stderr=out)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(60)


def until(true: Callable[[], bool], log: Path, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.05)


def answers(case: Rendered, path: str) -> bool:
    """Whether a GET on the container's port is answered with 200."""
    (port,) = container(case, "Deployment")["ports"]
    url = f"http://127.0.0.1:{port['containerPort']}{path}"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_what_is_rendered_runs(
    installed: Rendered, tmp_path: Path, ministack: AwsProcess, nakadi_server: NakadiProcess
) -> None:
    log = tmp_path / "run.log"
    pod = container(installed, "Deployment")
    with started(installed, "Deployment", ministack, log) as worker:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            path = pod[probe]["httpGet"]["path"]
            until(partial(answers, installed, path), log)
        OrderTable(TABLE, ministack.environment()).write(Insert({"order_id": "o-4711"}))
        until(lambda: len(nakadi_server.log(EVENT_TYPE)) == 1, log)
        assert answers(installed, "/metrics")
        worker.send_signal(signal.SIGTERM)
        spec = installed.the("Deployment")["spec"]["template"]["spec"]
        assert worker.wait(spec["terminationGracePeriodSeconds"]) == 0


def test_helm_test_finds_all_well(
    installed: Rendered, tmp_path: Path, ministack: AwsProcess
) -> None:
    log = tmp_path / "check.log"
    with started(installed, "Pod", ministack, log) as check:
        assert check.wait(PATIENCE) == 0, log.read_text()
    said = log.read_text()
    assert "consumer-leases: 0 workers" in said
    assert f"from {tmp_path / 'token'}" in said
