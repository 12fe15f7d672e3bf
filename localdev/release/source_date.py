"""The date that all files of a release carry, in place of the time at which they were made."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VARIABLE = "SOURCE_DATE_EPOCH"
EARLIEST = 315_532_800
"""1980-01-01: a wheel cannot state an earlier time."""


class NoDate(Exception):
    """There is no date to use; the text says what to do."""


def source_date(root: Path, environ: Mapping[str, str]) -> int:
    """Return SOURCE_DATE_EPOCH, or when the commit was made. Raise NoDate if there is neither."""
    if stated := environ.get(VARIABLE, ""):
        if not stated.isdecimal() or int(stated) < EARLIEST:
            raise NoDate(
                f"{VARIABLE} is {stated!r}; it must be a number of seconds, {EARLIEST} (1980) "
                "or more"
            )
        return int(stated)
    said = _git(root, "log", "-1", "--format=%ct")
    if said is None:
        raise NoDate(
            f"{VARIABLE} is not set, and {root} has no git commit whose date could be used: "
            f"set it, for example {VARIABLE}=1764000000 make dist"
        )
    return int(said)


def uncommitted(root: Path) -> tuple[str, ...]:
    """Return the files that no commit has as they are; without git nothing is known."""
    return tuple(line[3:] for line in (_git(root, "status", "--porcelain") or "").splitlines())


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, None if it fails or is not here."""
    try:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
