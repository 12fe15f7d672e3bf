"""The chart as Helm renders it for the values in helm/ci, each file once."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.chart.values_file import CHART
from tests.patience import PATIENCE

CASES = tuple(sorted((CHART / "ci").glob("*-values.yaml")))
NAMESPACE = "shop"
RELEASE = "orders"
OWN_CONTAINERS = frozenset({"consumer", "redrive", "republish", "repair", "snapshot", "check"})

Manifest = dict[str, Any]


class HelmRefused(Exception):
    """Helm ended with an error, which is the text."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one file of values becomes."""

    case: str
    text: str
    manifests: tuple[Manifest, ...]

    def of_kind(self, kind: str) -> list[Manifest]:
        return [each for each in self.manifests if each["kind"] == kind]

    def the(self, kind: str, name_end: str = "") -> Manifest:
        (manifest,) = (m for m in self.of_kind(kind) if m["metadata"]["name"].endswith(name_end))
        return manifest

    def pods(self) -> Iterator[tuple[Manifest, Manifest]]:
        """Metadata and spec of every pod that these manifests lead to."""
        for each in self.manifests:
            match each["kind"]:
                case "Pod":
                    yield each["metadata"], each["spec"]
                case "Deployment" | "Job":
                    yield each["spec"]["template"]["metadata"], each["spec"]["template"]["spec"]
                case "CronJob":
                    template = each["spec"]["jobTemplate"]["spec"]["template"]
                    yield template["metadata"], template["spec"]


def own_container(spec: Manifest) -> Manifest:
    """Return the container of a pod that runs the service; what a file of values adds is not."""
    container: Manifest
    (container,) = (each for each in spec["containers"] if each["name"] in OWN_CONTAINERS)
    return container


def helm(program: Path, *arguments: str) -> str:
    """Standard output; HelmRefused with standard error."""
    result = subprocess.run(
        [str(program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if result.returncode != 0:
        raise HelmRefused(result.stderr.strip() + result.stdout.strip())
    return result.stdout


def refusal(program: Path, *arguments: str) -> str:
    """What Helm says when it fails, as it must."""
    try:
        helm(program, *arguments)
    except HelmRefused as refused:
        return str(refused)
    raise AssertionError(f"accepted: {arguments}")


def render(program: Path, chart: Path, values: Path, *more: str) -> Rendered:
    """`helm template` with a file of values, and with more arguments."""
    base = ("template", RELEASE, str(chart), "--namespace", NAMESPACE, "--values", str(values))
    text = helm(program, *base, *more)
    manifests = tuple(each for each in yaml.load_all(text, yaml.CSafeLoader) if each)
    return Rendered(values.name.removesuffix("-values.yaml"), text, manifests)
