"""Set up the virtual environment .venv, and say all the time what is being done.

`make` runs it with the system's Python, which has nothing but the standard library.
"""

import os
import re
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

VENV = Path(".venv")
REQUIREMENTS = Path("requirements/dev.txt")
FETCHING, INSTALLING = "fetching packages", "installing packages"
_PIP = (
    str(VENV / "bin" / "python"),
    *("-m", "pip", "--disable-pip-version-check", "--no-input"),
    *("install", "--progress-bar", "off"),
)
TICK_SECONDS = 1.0
_PLAIN_SECONDS = 5.0
_READ_BYTES = 65536
_LINES = 20  # printed of the output of a command that failed


class Progress:
    """On a terminal one line that is written over every second, elsewhere a line now and then."""

    def __init__(self, out: TextIO, clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock
        self._moving = out.isatty()
        self._started = clock()
        self._shown_at = -_PLAIN_SECONDS
        self._shown = ""

    def show(self, step: str, detail: str = "") -> None:
        """Say what is being done; `detail` changes all the time."""
        now = self._clock()
        text = f"setting up: {step}{detail}, {now - self._started:.0f} s"
        if self._moving:
            self._out.write(
                f"\r{text[: os.get_terminal_size(self._out.fileno()).columns - 1]}\x1b[K"
            )
        elif step == self._shown and now - self._shown_at < _PLAIN_SECONDS:
            return
        else:
            self._out.write(f"{text}\n")
        self._shown, self._shown_at = step, now
        self._out.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._moving:
            self._out.write("\r\x1b[K")
            self._out.flush()


class Packages:
    """Says how far pip is: by the lines that it prints, then by what is installed."""

    def __init__(self, requirements: str, installed: Callable[[], int]) -> None:
        self._all = len(re.findall(r"^[A-Za-z0-9][^\s=]*==", requirements, re.MULTILINE))
        self._installed = installed
        self._collected = 0
        self.step = FETCHING
        self.detail = ""

    def read(self, line: str) -> None:
        """Take a line of pip's output into account."""
        if line.startswith("Ignoring "):  # it is for another machine
            self._all -= 1
        elif line.startswith("Collecting "):
            self._collected += 1
            name = re.split(r"[\s=]", line)[1]
            self.detail = f", {self._collected} of {self._all}: {name}"
        elif line.startswith("Installing "):
            self.step = INSTALLING
        if self.step == INSTALLING:
            self.detail = f", {min(self._installed(), self._all)} of {self._all}"


def run(command: Sequence[str], tick: Callable[[str], object]) -> None:
    """Run a command, and pass on its lines as they come, or an empty one after a second.

    Raise CalledProcessError with the end of its output if it fails.
    """
    lines: deque[str] = deque(maxlen=_LINES)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            for line in _lines(process.stdout.fileno()):
                if line:
                    lines.append(line)
                tick(line)
        except KeyboardInterrupt:
            process.kill()  # it must not write to .venv while the next make does
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, "\n".join(lines))


def _lines(output: int) -> Iterator[str]:
    """Read a pipe to its end; an empty line stands for a second of silence."""
    rest = ""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if not selector.select(TICK_SECONDS):
                yield ""
                continue
            data = os.read(output, _READ_BYTES).decode(errors="replace")
            if not data:
                return
            *whole, rest = (rest + data).split("\n")
            yield from whole


def set_up(progress: Progress) -> None:
    """Make .venv with all packages, and with this project in it."""

    def show(step: str) -> Callable[[str], None]:
        progress.show(step)
        return lambda _: progress.show(step)

    def installed() -> int:
        return sum(1 for _ in VENV.glob("lib/python*/site-packages/*.dist-info"))

    packages = Packages(REQUIREMENTS.read_text(), installed)

    def count(line: str) -> None:
        packages.read(line)
        progress.show(packages.step, packages.detail)

    making = f"{VENV} with Python {sys.version.split()[0]}"
    run((sys.executable, "-m", "venv", str(VENV)), show(making))
    run((*_PIP, "--require-hashes", "-r", str(REQUIREMENTS)), count)
    own = ("--no-deps", "--no-build-isolation", "-e", ".")
    run((*_PIP, *own), show(f"the command {VENV}/bin/consumer"))


def main() -> int:
    """Set it up; return 1 if a step fails, and 130 after Ctrl-C."""
    print(f"setting up {VENV} from the Python package index (once, about a minute and 97 MB)")
    progress = Progress(sys.stdout, time.monotonic)
    try:
        set_up(progress)
    except subprocess.CalledProcessError as error:
        progress.end()
        print(error.output)
        print(f"setting up failed: {' '.join(error.cmd)} ended with {error.returncode}")
        return 1
    except KeyboardInterrupt:
        progress.end()
        print("stopped while setting up; the next make goes on")
        return 130
    progress.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
