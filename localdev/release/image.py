"""The image as an archive: an OCI layout in a tar file, where a Docker engine can write one."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localdev.release.source_date import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ANSWER_SECONDS = 30.0


class CannotExport(Exception):
    """No image can be made here; the text says why."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What may differ from machine to machine; empty for what the Dockerfile and Docker choose."""

    platforms: str
    base: str


def command(file: Path, root: Path, date: int, choice: Choice) -> list[str]:
    """Return the build. Its own provenance would state the time, so it is left out."""
    output = f"type=oci,dest={file},rewrite-timestamp=true"
    return [
        *("docker", "buildx", "build", "--target", "consumer", "--no-cache"),
        *("--provenance=false", "--sbom=false", "--output", output),
        *("--build-arg", f"{VARIABLE}={date}"),
        *(("--platform", choice.platforms) if choice.platforms else ()),
        *(("--build-arg", f"PYTHON_IMAGE={choice.base}") if choice.base else ()),
        str(root),
    ]


def write(file: Path, root: Path, date: int, choice: Choice) -> None:
    """Build the image. Raise CannotExport if no engine answers, or if its builder writes none."""
    _ask(("docker", "info"), "no Docker engine answers")
    builder = _ask(("docker", "buildx", "inspect"), "the engine has no buildx")
    stores = _ask(("docker", "info", "--format", "{{.DriverStatus}}"), "no Docker engine answers")
    if not exports(builder, stores):
        raise CannotExport(
            "Docker's own builder writes no archives; `docker buildx create --use` makes one that "
            "does"
        )
    subprocess.run(command(file, root, date, choice), check=True)


def exports(builder: str, stores: str) -> bool:
    """Whether a builder, as `docker buildx inspect` describes it, can write an OCI archive.

    That of the engine itself can if the engine keeps its images in containerd.
    """
    drivers = [line.split()[-1] for line in builder.splitlines() if line.startswith("Driver:")]
    return drivers != ["docker"] or "io.containerd.snapshotter" in stores


def _ask(question: Sequence[str], otherwise: str) -> str:
    try:
        return subprocess.run(
            question, check=True, capture_output=True, text=True, timeout=ANSWER_SECONDS
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotExport(otherwise) from error
