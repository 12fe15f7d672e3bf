"""What a node pulls: the whole image once, and for a change of our source a layer of its own."""

import json
import shutil
from pathlib import Path

import pytest

from tests.images.engine import IMAGE_TESTS, ROOT, build, docker, inspect

pytestmark = IMAGE_TESTS

MB = 1_000_000
ABOVE_THE_BASE = 50 * MB
OF_A_CHANGE = 5 * MB


def layers(image: str) -> list[str]:
    return list(inspect(image)["RootFS"]["Layers"])


def layer_sizes(image: str) -> list[int]:
    """Of what our Dockerfile adds, the newest layer first."""
    told = docker("history", "--no-trunc", "--human=false", "--format", "{{json .}}", image)
    steps = [json.loads(line) for line in told.splitlines()]
    return [int(step["Size"]) for step in steps if step["CreatedBy"].startswith(("COPY ", "RUN "))]


@pytest.fixture
def changed_source(tmp_path: Path) -> Path:
    """The context of a build, with one more line in a module of ours."""
    for name in ("consumer", "localdev", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in (".dockerignore", "Dockerfile", "LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    with (tmp_path / "consumer/cli.py").open("a") as module:
        module.write("\nCHANGED = True\n")
    return tmp_path


def test_the_image_is_small(image: str, base_image: str) -> None:
    assert layers(image)[: len(layers(base_image))] == layers(base_image)
    above = inspect(image)["Size"] - inspect(base_image)["Size"]
    print(f"{above / MB:.1f} MB above the base")
    assert above <= ABOVE_THE_BASE


def test_a_change_of_source_makes_a_small_layer_anew(image: str, changed_source: Path) -> None:
    changed = build("changed", changed_source)
    new = [layer for layer in layers(changed) if layer not in layers(image)]
    size = sum(layer_sizes(changed)[: len(new)])
    print(f"{len(new)} of {len(layers(changed))} layers with {size / MB:.1f} MB")
    assert new == layers(changed)[-1:]
    assert 0 < size < OF_A_CHANGE
