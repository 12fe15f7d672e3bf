"""Docker, as the tests of the images use it: what its command prints, or a test that fails."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TAGS = "dynamodb-nakadi-consumer-tests"
"""What the tests build is tagged with this name, so that the next run replaces it."""

ANSWER_SECONDS = 30.0
COMMAND_SECONDS = 1200.0


def answers() -> bool:
    try:
        asked = subprocess.run(
            ["docker", "info"], capture_output=True, check=False, timeout=ANSWER_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


IMAGE_TESTS = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # the first build fetches all packages
    pytest.mark.skipif(not answers(), reason="no Docker engine answers: `docker info` fails"),
]


def docker(*words: str | Path, given: str | None = None) -> str:
    """Its output, without the end of the last line."""
    told = subprocess.run(
        ["docker", *words],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )
    assert told.returncode == 0, f"docker {' '.join(map(str, words))}\n{told.stdout}{told.stderr}"
    return told.stdout.rstrip("\n")


def base() -> str:
    """PYTHON_IMAGE of the environment, or else the base that the Dockerfile names."""
    named = re.search(r"^ARG PYTHON_IMAGE=(.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert named is not None
    return os.environ.get("PYTHON_IMAGE") or named[1]


def build(name: str, context: Path, target: str = "consumer") -> str:
    """Build an image of a context, that of the service unless told otherwise; return its tag."""
    tag = f"{TAGS}:{name}"
    options = ("--target", target, "--build-arg", f"PYTHON_IMAGE={base()}", "--tag", tag)
    docker("build", "--quiet", *options, context)
    return tag


def inspect(what: str) -> dict[str, Any]:
    (found,) = json.loads(docker("inspect", what))
    return dict(found)


def python(image: str, program: str, *options: str) -> str:
    """What a program prints that the image's Python runs in a container."""
    started = ("run", "--rm", "--interactive", "--entrypoint", "python", *options, image, "-")
    return docker(*started, given=program)
