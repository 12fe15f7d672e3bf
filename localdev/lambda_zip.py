"""Build the zip that Lambda runs: `python -m localdev.lambda_zip --python 3.13 --arch arm64`.

It holds the wheels of requirements/run.txt for Lambda's Linux, by their hashes, and our package.
Left out is what a function does not use: the event loop of the service, botocore's descriptions of
other services, sources, debug information. The same files make the same bytes, but for bytecode,
which is there if the Python that Lambda will run is on this machine: without it each cold start
compiles what it imports.

Standard library only, and pip: `make` runs it with the system's Python.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from localdev import ballast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
REQUIREMENTS = ROOT / "requirements" / "run.txt"

OLDEST = (3, 11)
PLATFORMS = {
    "arm64": "manylinux2014_aarch64",
    "x86_64": "manylinux2014_x86_64",
}
"""By Lambda's name of the architecture. Lambda's Python 3.11 has glibc 2.26: newer wheels fail."""

LEFT_OUT = frozenset({"uvloop"})
"""Requirements of `consumer run` that a function never imports."""

SERVICES = frozenset({"dynamodbstreams", "secretsmanager", "sqs"})
"""What a function calls. Its credentials are in the environment, so the SDK calls nothing else."""

LIMIT_BYTES = 250 * 1024 * 1024
"""What Lambda unpacks at most."""

LONG_AGO = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644 << 16
_NAME = re.compile(r"[A-Za-z0-9._-]+")


class CannotBuild(Exception):
    """The text says what is missing."""


class CannotFetch(CannotBuild):
    """pip could not install; the text is the end of what it said."""


def wanted(requirements: str) -> tuple[str, int]:
    """Return the requirements without what is left out, and how many they are.

    Raise CannotBuild for one that only some machines need: pip would ask this machine.
    """
    kept, count, keep = [], 0, False
    for line in requirements.splitlines(keepends=True):
        if not line[:1].isspace() and not line.startswith("#"):
            found = _NAME.match(line)
            if ";" in line or found is None:
                raise CannotBuild(f"{REQUIREMENTS.name}: wanted no markers, found {line.strip()!r}")
            keep = found[0].lower() not in LEFT_OUT
            count += keep
        if keep:
            kept.append(line)
    return "".join(kept), count


def pip(scratch: Path) -> Sequence[str]:
    """Return a command that runs pip: this Python's, or one in an environment made for it."""
    if importlib.util.find_spec("pip") is not None:
        return (sys.executable, "-m", "pip")
    try:
        venv.create(scratch / "pip", with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotBuild(f"{sys.executable} has neither pip nor ensurepip") from error
    return (str(scratch / "pip" / "bin" / "python"), "-m", "pip")


def install(folder: Path, scratch: Path, python: str, arch: str) -> Iterator[str]:
    """Unpack the wheels into a folder. Yield a line for each that is fetched."""
    text, count = wanted(REQUIREMENTS.read_text())
    listed = scratch / "requirements.txt"
    listed.write_text(text)
    command = (
        *pip(scratch),
        *("--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"),
        *("--no-compile", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--platform", PLATFORMS[arch], "--implementation", "cp", "--python-version", python),
        *("--requirement", str(listed), "--target", str(folder)),
    )
    begun, said = 0, []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None  # noqa: S101 - it is a pipe
        for line in running.stdout:
            said.append(line)
            if line.startswith("Collecting "):
                begun += 1
                yield f"  {begun} of {count}: {line.split()[1]}"
    if running.returncode:
        raise CannotFetch("".join(said[-10:]).strip())


def add_package(folder: Path) -> None:
    """Copy our own code."""
    shutil.copytree(
        ROOT / "consumer", folder / "consumer", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "LICENSE", folder / "consumer")


def trim(folder: Path) -> None:
    """Remove what a function does not use."""
    ballast.remove(folder, SERVICES)
    shutil.rmtree(folder / "bin", ignore_errors=True)  # programs that wheels install


def compiler(python: str) -> str | None:
    """Return a Python of this version on this machine, None if there is none."""
    if sys.version_info[:2] == tuple(map(int, python.split("."))):
        return sys.executable
    program = shutil.which(f"python{python}")
    if program is None:
        return None
    asked = (program, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return program if told.stdout.strip() == python else None


def compiled(folder: Path, python: str) -> bool:
    """Compile all modules, if there is a Python that can. What it writes has no time in it."""
    program = compiler(python)
    if program is None:
        return False
    options = ("-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/var/task")
    subprocess.run(
        [program, "-m", "compileall", *options, str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return True


def pack(folder: Path, file: Path) -> int:
    """Write the zip, with the same bytes each time. Return the size of what it unpacks to."""
    total = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), LONG_AGO)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = FILE_MODE
                content = path.read_bytes()
                archive.writestr(info, content, compresslevel=9)
                total += len(content)
    return total


def version() -> str:
    """Return the version of our package, which cannot be imported without its requirements."""
    text = (ROOT / "consumer" / "__init__.py").read_text()
    return text.split('__version__ = "')[1].split('"')[0]


def build(python: str, arch: str, folder: Path = DIST) -> Iterator[str]:
    """Build a zip in a folder. Yield lines that say what is done. Raise CannotBuild."""
    folder.mkdir(parents=True, exist_ok=True)
    short = "py" + python.replace(".", "")
    file = folder / f"dynamodb-nakadi-consumer-{version()}-lambda-{short}-{arch}.zip"
    with tempfile.TemporaryDirectory(prefix="lambda-zip-") as name:
        scratch = Path(name)
        content = scratch / "content"
        yield f"fetching wheels for Python {python} on {arch}"
        yield from install(content, scratch, python, arch)
        add_package(content)
        trim(content)
        if not compiled(content, python):
            yield f"no python{python} here: without bytecode, so a cold start takes longer"
        yield "packing"
        size = pack(content, file)
    if size > LIMIT_BYTES:
        raise CannotBuild(f"it unpacks to {size} bytes; Lambda takes {LIMIT_BYTES}")
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    yield f"{shown}: {file.stat().st_size / 1e6:.1f} MB, unpacked {size / 1e6:.1f} MB"
    yield "handlers: consumer.aws_lambda.relay, consumer.aws_lambda.redrive"


def python_version(text: str) -> str:
    """Accept a version of Python that the package runs on, such as 3.13."""
    found = re.fullmatch(r"(\d+)\.(\d+)", text)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted 3.11 or newer, such as 3.13")
    return text


def main(words: Sequence[str] | None = None) -> int:
    """Build one zip; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m localdev.lambda_zip")
    parser.add_argument("--python", type=python_version, default="3.13", help="3.11 or newer")
    parser.add_argument("--arch", choices=sorted(PLATFORMS), default="arm64")
    given = parser.parse_args(words)
    try:
        for line in build(given.python, given.arch):
            print(line, flush=True)
    except CannotBuild as error:
        print(f"no zip: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
