"""Prometheus and promtool, where they are: from Debian's package in .run, or on the path."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
FETCHED = ROOT / ".run/tools/prometheus/usr/bin"
_LISTENING = re.compile(r'msg="Listening on" address=(\S+)')

Series = tuple[dict[str, str], list[tuple[float, float]]]
"""Labels, and samples: epoch seconds and value."""


def found(tool: str) -> str | None:
    """The path of `promtool` or `prometheus`, None where there is none."""
    fetched = FETCHED / tool
    return str(fetched) if fetched.exists() else shutil.which(tool)


def needed(tool: str) -> str:
    """The path, or the test is skipped with a line that says how to get it."""
    path = found(tool)
    if path is None:
        pytest.skip(f"{tool} is missing: `make fetch` gets it where apt-get is")
    return path


@dataclass
class Prometheus:
    """A real one. Workers become its targets with `watch`."""

    url: str
    folder: Path

    def watch(self, targets: Mapping[str, str]) -> None:
        """Scrape these from now on: address by pod."""
        entries = [
            {"targets": [address], "labels": {"namespace": "local", "pod": pod}}
            for pod, address in targets.items()
        ]
        fresh = self.folder / "targets.tmp"
        fresh.write_text(json.dumps(entries))
        fresh.rename(self.folder / "targets.json")

    def alerts(self) -> dict[str, str]:
        """State by name of all alerts that are pending or firing."""
        found: dict[str, str] = {}
        for alert in self._get("alerts")["alerts"]:
            name = alert["labels"]["alertname"]
            found[name] = "firing" if "firing" in (found.get(name), alert["state"]) else "pending"
        return found

    def texts(self, alert: str) -> list[dict[str, str]]:
        """The annotations of an alert's instances."""
        alerts = self._get("alerts")["alerts"]
        return [each["annotations"] for each in alerts if each["labels"]["alertname"] == alert]

    def instant(self, query: str) -> list[tuple[dict[str, str], float]]:
        found = self._get("query", query=query)["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def over(self, query: str, start: float, end: float, step: float = 1.0) -> list[Series]:
        found = self._get("query_range", query=query, start=start, end=end, step=step)["result"]
        return [(s["metric"], [(at, float(value)) for at, value in s["values"]]) for s in found]

    def _get(self, what: str, **parameters: object) -> Any:
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(error.read().decode()) from None


@contextmanager
def prometheus(folder: Path, rules: str, interval: str = "1s") -> Iterator[Prometheus]:
    """Run one on a free port of 127.0.0.1 until the block ends."""
    config = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {
                "job_name": "consumer",
                "scrape_timeout": "1s",
                "file_sd_configs": [{"files": ["targets.json"], "refresh_interval": "1s"}],
            }
        ],
    }
    folder.mkdir(exist_ok=True)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "rules.yml").write_text(rules)
    command = [
        needed("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    ]
    log = folder / "prometheus.log"
    with log.open("w") as out, subprocess.Popen(command, stderr=out, stdout=out) as process:
        try:
            yield Prometheus(_url(log, process), folder)
        finally:
            process.terminate()
            process.wait(60)


def _url(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        listening = _LISTENING.search(log.read_text())
        if listening and "ready to receive" in log.read_text():
            return f"http://{listening[1]}"
        time.sleep(0.05)
    raise AssertionError(f"Prometheus did not start: {log.read_text()}")
