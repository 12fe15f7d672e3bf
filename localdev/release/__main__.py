"""Make a release in dist/: `python -m localdev.release`.

The same files, tools and date make the same bytes. `made-with.txt` names tools and date, so
somebody whose checksums are others sees which tool was another.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from consumer import __version__
from localdev.release import chart_package, image, sbom
from localdev.release.source_date import VARIABLE, NoDate, source_date, uncommitted

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"
NAME = sbom.SERVICE
SUMS = "SHA256SUMS"


def python_packages(date: int) -> None:
    """Make wheel and source distribution, with the hatchling that is pinned."""
    environ = {**os.environ, VARIABLE: str(date)}
    build = (sys.executable, "-m", "hatchling", "build", "--directory", str(DIST))
    subprocess.run(build, cwd=ROOT, env=environ, check=True)


def made_with(date: int, choice: image.Choice) -> str:
    """Return one line for each thing that has an influence on the bytes."""
    parts = {
        VARIABLE: date,
        "python": platform.python_version(),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "hatchling": version("hatchling"),
        "platforms": choice.platforms or platform.machine(),
        "base": choice.base or "as in the Dockerfile",
    }
    return "".join(f"{name}: {value}\n" for name, value in parts.items())


def checksums(folder: Path) -> str:
    """Return the lines that `sha256sum --check` reads, for all files in a folder."""
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(folder.iterdir())
        if file.name != SUMS
    )


def make(date: int, choice: image.Choice) -> Iterator[str]:
    """Make all files anew. Yield a line for what is left out."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    python_packages(date)
    chart_package.write(ROOT / "helm", DIST / f"{NAME}-{__version__}.tgz", NAME, date)
    sbom.write(DIST / "sbom.json")
    (DIST / "made-with.txt").write_text(made_with(date, choice))
    try:
        image.write(DIST / f"{NAME}-{__version__}.oci.tar", ROOT, date, choice)
    except image.CannotExport as error:
        yield f"the image is left out: {error}"
    (DIST / SUMS).write_text(checksums(DIST))


def main(arguments: list[str]) -> int:
    """Make the release and list it; return the exit code."""
    parser = argparse.ArgumentParser(prog="localdev.release", description=__doc__)
    parser.add_argument("--platforms", default="", help="of the image: linux/amd64,linux/arm64")
    parser.add_argument("--base", default="", help="the image's base, by digest")
    given = parser.parse_args(arguments)
    try:
        date = source_date(ROOT, os.environ)
    except NoDate as error:
        print(error, file=sys.stderr)
        return 2
    if changed := uncommitted(ROOT):
        print(f"no commit has this: {len(changed)} files are new or changed, {changed[0]} first")
    for line in make(date, image.Choice(given.platforms, given.base)):
        print(line)
    print((DIST / SUMS).read_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
