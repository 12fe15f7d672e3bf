"""What holds for each template of the project: its parameters are documented, and it is clean."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ecs.intrinsics import template

FETCHED = Path(__file__).parents[2] / ".run/ecs/bin/cfn-lint"


def check_parameters(path: Path, readme: str) -> None:
    """Each parameter has a row in the readme."""
    for name, each in template(path)["Parameters"].items():
        default = str(each.get("Default", "required")) or "empty"
        assert f"| `{name}` | {default} | {each['Description']} |" in readme


def check_with_cfn_lint(path: Path) -> None:
    """cfn-lint finds nothing; skip the test where there is none."""
    linter = str(FETCHED) if FETCHED.exists() else shutil.which("cfn-lint")
    if linter is None:
        pytest.skip("cfn-lint is missing: `make fetch` gets it")
    command = [linter, "--include-checks", "I", "--", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")
