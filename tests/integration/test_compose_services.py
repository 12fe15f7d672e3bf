"""Every command of docker-compose.yml, run as it stands there, without containers.

Names and ports of services become free ports of 127.0.0.1; DynamoDB Local comes from its jar.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from localdev.aws.dynamodb_local import free_port
from localdev.aws.process import AwsProcess, stop
from localdev.nakadi.process import NakadiProcess
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


class Compose:
    """The services of the file, their addresses replaced."""

    def __init__(self, dynamodb_url: str, scratch: Path) -> None:
        self._services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        self._scratch = scratch
        self.ports = {name: str(free_port()) for name in ("aws", "nakadi", "consumer", "routes")}
        self._replacements = {
            "http://dynamodb:8000": dynamodb_url,
            "aws:4566": f"127.0.0.1:{self.ports['aws']}",
            "nakadi:8090": f"127.0.0.1:{self.ports['nakadi']}",
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - what is replaced
            "4566": self.ports["aws"],
            "8090": self.ports["nakadi"],
            "/etc/consumer/": f"{ROOT}/localdev/workload/",
            "/tmp/": f"{scratch}/",  # noqa: S108 - what is replaced
        }

    def _local(self, text: str) -> str:
        """Return a text with the names of this machine; what is put in is not replaced again."""
        names = "|".join(map(re.escape, self._replacements))
        return re.sub(names, lambda found: self._replacements[found[0]], text)

    def command(self, service: str) -> list[str]:
        """The image's entry point and the service's command."""
        words = [self._local(word) for word in self._services[service].get("command", ["run"])]
        if service.startswith("consumer"):
            return [str(BIN / "consumer"), *words]
        return [sys.executable, "-m", *words]

    def environ(self, service: str) -> dict[str, str]:
        """The service's variables, and those that stand for the container itself."""
        given: Mapping[str, Any] = self._services[service].get("environment", {})
        outer = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(self._scratch)}
        return {**outer, **{name: self._local(value) for name, value in given.items()}}

    def probe(self, service: str) -> list[str]:
        """The command of its health check."""
        how, program, *words = self._services[service]["healthcheck"]["test"]
        assert (how, program) == ("CMD", "python")
        return [sys.executable, *map(self._local, words)]

    @contextmanager
    def running(self, service: str, **more: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            self.command(service),
            cwd=self._scratch,
            env={**self.environ(service), **more},
            stdout=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                stop(process)

    def wait_for(self, process: subprocess.Popen[str], service: str, probe: list[str]) -> None:
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(probe, check=False, stderr=subprocess.DEVNULL).returncode != 0:
            assert process.poll() is None, f"{service} ended"
            assert time.monotonic() < deadline, f"{service} did not become healthy"
            time.sleep(0.1)


@pytest.mark.slow
def test_the_services_as_composed_publish_the_workload(
    dynamodb_local_server: AwsProcess, tmp_path: Path
) -> None:
    compose = Compose(dynamodb_local_server.endpoint_url, tmp_path)
    with ExitStack() as up:
        for service in ("aws", "nakadi"):
            process = up.enter_context(compose.running(service))
            compose.wait_for(process, service, compose.probe(service))
        setup = compose.command("setup")
        subprocess.run(setup, env=compose.environ("setup"), check=True, timeout=PATIENCE)
        subprocess.run(setup, env=compose.environ("setup"), check=True, timeout=PATIENCE)
        routes = compose.command("setup-routes")
        subprocess.run(routes, env=compose.environ("setup-routes"), check=True, timeout=PATIENCE)
        port = {"CONSUMER_HTTP_PORT": compose.ports["consumer"]}
        consumer = up.enter_context(compose.running("consumer", **port))
        environ = {**os.environ, **port}
        health = subprocess.run([BIN / "consumer", "health"], env=environ, check=False)
        assert health.returncode == 1, "healthy before it started"
        up.enter_context(compose.running("workload"))
        more = {"CONSUMER_HTTP_PORT": compose.ports["routes"]}
        router = up.enter_context(compose.running("consumer-routes", **more))
        up.enter_context(compose.running("workload-routes"))

        nakadi = NakadiProcess(f"http://127.0.0.1:{compose.ports['nakadi']}", 0)
        deadline = time.monotonic() + PATIENCE
        while len(events := nakadi.log("order-store.order", "data_op")) < 60:
            assert consumer.poll() is None, "the consumer ended"
            assert time.monotonic() < deadline, f"{len(events)} events"
            time.sleep(0.2)
        assert {event["data_op"] for event in events} >= {"C", "U"}
        while not (nakadi.log("shop.order", "data_op") and nakadi.log("shop.customer", "data_op")):
            assert router.poll() is None, "the consumer with routes ended"
            assert time.monotonic() < deadline, "no events of routes"
            time.sleep(0.2)
        subprocess.run([BIN / "consumer", "health"], env=environ, check=True)
        url = f"http://127.0.0.1:{compose.ports['consumer']}/readyz"
        ready = [sys.executable, "-c", f"from urllib.request import urlopen; urlopen('{url}')"]
        compose.wait_for(consumer, "consumer", ready)
        for each in (consumer, router):
            each.terminate()
            assert each.wait(PATIENCE) == 0


def test_the_settings_file_of_the_routes_is_the_one_that_is_mounted() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    service = services["consumer-routes"]
    here, there, mode = service["volumes"][0].split(":")
    assert (there, mode) == (service["environment"]["CONSUMER_CONFIG_FILE"], "ro")
    assert (ROOT / here).is_file()
