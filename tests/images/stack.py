"""The services of docker-compose.yml in containers of their own, under a name of their own."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.images.engine import ROOT, base, docker
from tests.patience import PATIENCE

PROJECT_LABEL = "com.docker.compose.project"
BACKENDS = ("dynamodb", "nakadi", "aws")


def until(holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> float:
    """Wait until something holds, and return the seconds that it took."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() < started + patience, f"not within {patience:g} s: {what}"
        time.sleep(0.2)
    return time.monotonic() - started


class Stack:
    """A project of compose. Without `published` the backends use no port of the machine."""

    def __init__(self, folder: Path, *, published: bool) -> None:
        self.name = f"images-{os.getpid()}-{'up' if published else 'alone'}"
        self.network = f"{self.name}_default"
        override = folder / "override.yml"
        kept = () if published else BACKENDS
        override.write_text(
            "services:\n  grafana:\n    profiles: [left-out]\n"  # no test looks at it
            + "".join(f"  {name}:\n    ports: !reset []\n" for name in kept)
        )
        self._files = ("--file", ROOT / "docker-compose.yml", "--file", override)

    def compose(self, *words: str) -> str:
        """What `docker compose` prints."""
        return docker("compose", "--project-name", self.name, *self._files, *words)

    def definition(self, service: str) -> Mapping[str, Any]:
        """A service, as compose has read it."""
        config = json.loads(self.compose("config", "--format", "json"))
        return dict(config["services"][service])

    def containers(self, service: str) -> list[str]:
        """The full ids of those that run."""
        told = self.compose("ps", "--quiet", "--no-trunc", service)
        return told.split()

    def left(self) -> list[str]:
        """The names of all that there is of it: containers, networks, volumes."""
        mine = ("--filter", f"label={PROJECT_LABEL}={self.name}", "--format")
        return [
            *docker("ps", "--all", *mine, "{{.Names}}").split(),
            *docker("network", "ls", *mine, "{{.Name}}").split(),
            *docker("volume", "ls", *mine, "{{.Name}}").split(),
        ]

    def down(self) -> None:
        """Stop and remove everything."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "2")


@contextmanager
def stack(folder: Path, *, published: bool) -> Iterator[Stack]:
    """A stack whose images are built, and of which nothing is left in the end."""
    os.environ["PYTHON_IMAGE"] = base()  # compose takes the build's argument from there
    made = Stack(folder, published=published)
    made.compose("build")
    try:
        yield made
    finally:
        made.down()


def in_use(port: int) -> bool:
    """Whether anything listens on a port of 127.0.0.1."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
