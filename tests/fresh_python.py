"""A Python that has imported nothing yet."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[1]


def run_script(
    script: str, *words: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script to its end; it must exit with 0. Without `env` it has this environment."""
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
