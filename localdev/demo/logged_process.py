"""A process whose output goes to a file that a user can read."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from localdev.aws.process import stop

_END_BYTES = 8192


class LoggedProcess:
    """A running or ended process, and the file with its output."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self.log = log

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code; None while it runs, negative if a signal ended it."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send SIGTERM, unless it has ended."""
        self._process.terminate()

    def wait(self, seconds: float) -> bool:
        """Return whether it ended within a number of seconds; if not, kill it."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        return True

    def last_lines(self, count: int) -> list[str]:
        """Return the end of its output."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - _END_BYTES))
            return log.read().decode(errors="replace").splitlines()[-count:]


@contextmanager
def logged_process(
    command: Sequence[str | Path], log: Path, environ: Mapping[str, str]
) -> Iterator[LoggedProcess]:
    """Run a command until the block ends, at the latest."""
    with (
        log.open("w") as output,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environ,
            text=True,
        ) as process,
    ):
        try:
            yield LoggedProcess(process, log)
        finally:
            stop(process)
