"""The chart as one file. `helm package` gives the same files the times at which it read them.

Owners, modes, times and the order of files are ours, so only the content decides about the bytes.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IGNORED = ".helmignore"


def write(chart: Path, file: Path, name: str, date: int) -> None:
    """Write the files of the chart below the folder `name`, as Helm wants them."""
    with (
        file.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=date) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for path in files(chart):
            content = path.read_bytes()
            entry = tarfile.TarInfo(f"{name}/{path.relative_to(chart).as_posix()}")
            entry.size, entry.mtime, entry.mode = len(content), date, 0o644
            archive.addfile(entry, io.BytesIO(content))


def files(chart: Path) -> Iterator[Path]:
    """Yield the files that are packed, in the order of their names. `.helmignore` excludes some.

    Raise ValueError for a pattern that means more to Helm than a name of a file or folder.
    """
    patterns = [
        line.removesuffix("/")
        for line in (chart / IGNORED).read_text().splitlines()
        if line and not line.startswith("#")
    ]
    for pattern in patterns:
        if "/" in pattern or pattern.startswith("!"):
            raise ValueError(f"{chart / IGNORED}: {pattern!r} is no plain name")
    for path in sorted(chart.rglob("*"), key=lambda each: each.relative_to(chart).as_posix()):
        parts = path.relative_to(chart).parts
        if path.is_file() and not any(fnmatch(part, each) for part in parts for each in patterns):
            yield path
