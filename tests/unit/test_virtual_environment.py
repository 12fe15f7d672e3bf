"""What `make` prints while it sets up .venv."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from localdev.virtual_environment import Packages, Progress, run

REQUIREMENTS = """\
boto3==1.2 \\
    --hash=sha256:01 \\
    --hash=sha256:02
    # via -r requirements/dev.in
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:03
PyYAML==6 \\
    --hash=sha256:04
"""


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_packages_are_counted_as_pip_names_them() -> None:
    installed = 0
    packages = Packages(REQUIREMENTS, lambda: installed)
    seen = []
    for line in (
        "Ignoring colorama: markers \"sys_platform == 'win32'\" don't match your environment",
        "Collecting boto3==1.2 (from -r requirements/dev.txt (line 1))",
        "  Downloading boto3-1.2-py3-none-any.whl (140 kB)",
        "Collecting PyYAML==6 (from -r requirements/dev.txt (line 5))",
        "Installing collected packages: boto3, PyYAML",
    ):
        packages.read(line)
        seen.append(packages.step + packages.detail)
    installed = 1
    packages.read("")
    assert [*seen[1:], packages.step + packages.detail] == [
        "fetching packages, 1 of 2: boto3",
        "fetching packages, 1 of 2: boto3",
        "fetching packages, 2 of 2: PyYAML",
        "installing packages, 0 of 2",
        "installing packages, 1 of 2",
    ]


def test_a_file_gets_a_line_for_each_step_and_every_five_seconds() -> None:
    out, clock = StringIO(), Clock()
    progress = Progress(out, clock)
    for step in ("one", "one", "two", "two", "two"):
        progress.show(step, f", {clock.now:g}")
        clock.now += 3
    progress.end()
    assert out.getvalue().splitlines() == [
        "setting up: one, 100, 0 s",
        "setting up: two, 106, 6 s",
        "setting up: two, 112, 12 s",
    ]


def test_a_command_that_is_silent_still_ticks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localdev.virtual_environment.TICK_SECONDS", 0.01)
    ticked = tmp_path / "ticked"
    silent = "import sys, pathlib\nwhile not pathlib.Path(sys.argv[1]).exists(): pass"
    run((sys.executable, "-c", silent, str(ticked)), ticked.write_text)
    assert ticked.read_text() == ""


def test_a_command_that_fails_is_shown_with_the_end_of_its_output() -> None:
    failing = "print('\\n'.join(map(str, range(100)))); raise SystemExit(3)"
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run((sys.executable, "-c", failing), lambda _: None)
    assert failed.value.returncode == 3
    assert failed.value.output.splitlines() == [str(number) for number in range(80, 100)]
