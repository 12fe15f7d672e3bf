"""The real Helm and what judges manifests, where `tests.fetch` has put them or on the path."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.fetch import CHART, HELMS, TOOLS


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the programs are."""

    helms: Mapping[str, Path]
    kubernetes_validate: Path
    trivy: Path

    def versions(self) -> list[str]:
        """One line a tool."""
        lines = [
            f"{name}: {_first_line([str(path), 'version', '--short'])}"
            for name, path in self.helms.items()
        ]
        return [
            *lines,
            f"kubernetes-validate {_first_line([str(self.kubernetes_validate), '--version'])}",
            f"trivy {_first_line([str(self.trivy), '--version'])}",
        ]


class Missing(Exception):
    """A tool is not here; the text says which, and how to get it."""


def tools() -> Tools:
    """Return all tools. Raise Missing if one is not here."""
    return Tools(_helms(), _judge("kubernetes-validate"), _judge("trivy"))


def _helms() -> dict[str, Path]:
    """Both versions; where they were not fetched, the one of the path."""
    helms = {name.replace("-", " "): TOOLS / name / "helm" for name in HELMS}
    if all(path.exists() for path in helms.values()):
        return helms
    found = shutil.which("helm")
    if found is None:
        raise Missing("helm is missing: `make fetch` gets it for Linux on amd64")
    return {"helm": Path(found)}


def _judge(program: str) -> Path:
    path = CHART / "bin" / program
    if not path.exists():
        raise Missing(f"{program} is missing: `make fetch` gets it")
    return path


def _first_line(command: list[str]) -> str:
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = (result.stdout or result.stderr).splitlines()
    return lines[0].removeprefix("Version: ") if lines else "?"
