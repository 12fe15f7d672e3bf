"""AWS's own engine of event filters, in Java: where it is, and what it answers."""

import base64
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[3]
JARS = ROOT / ".run/event-ruler"
POM = Path(__file__).with_name("pom.xml")

_PROGRAM = Path(__file__).with_name("Ask.java")
_SECONDS = 120.0


def missing() -> str | None:
    """Return what is missing to ask it; None if nothing is."""
    for program in ("java", "javac"):
        if shutil.which(program) is None:
            return f"no {program} is found"
    if not any(JARS.glob("event-ruler-*.jar")):
        return "event-ruler is not in .run: make fetch"
    return None


def ask(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return `yes`, `no` or `refused` for each pattern and event."""
    lines = "".join(f"{_base64(pattern)}\t{_base64(event)}\n" for pattern, event in pairs)
    asked = subprocess.run(
        ["java", "-cp", f"{JARS}/*", _PROGRAM],
        input=lines,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_SECONDS,
    )
    return asked.stdout.splitlines()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
