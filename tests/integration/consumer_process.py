"""`consumer` in a process of its own, forked from one that has imported it already.

Nearly all of a start's processor time, about a second, goes into imports, and the tests start two
hundred. What a start itself is like, others test: test_cli, test_demo, tests/chart/test_install.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.patience import PATIENCE

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "consumer.cli",
        "consumer.commands.run",
        "consumer.commands.check",
        "consumer.commands.events.event_type",
        "consumer.commands.events.preview",
        "consumer.commands.events.redrive",
        "consumer.commands.republish.republish",
        "consumer.commands.republish.snapshot",
        "consumer.commands.republish.touch",
        "consumer.commands.operate.gaps",
        "consumer.commands.repair.repair",
        "consumer.commands.operate.leases",
        "consumer.commands.operate.pause",
        "consumer.commands.operate.seek",
        "tests.integration.consumer_process",
    ]
)


class ConsumerProcess:
    """A running `consumer`, with the names of `subprocess.Popen`."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], out: Path, errors: Path
    ) -> None:
        for path in (out, errors):
            path.touch()  # it can be read at once
        arguments = (tuple(words), dict(environment), str(out), str(errors))
        self._process = _FORKS.Process(target=_consumer, args=arguments, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, minus the signal that killed it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float = PATIENCE) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("consumer", timeout)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run_consumer(
    words: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; what it printed."""
    with tempfile.TemporaryDirectory(prefix="consumer-") as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        process = ConsumerProcess(words, environment, out, errors)
        try:
            code = process.wait()
        finally:
            process.kill()
        return subprocess.CompletedProcess(words, code, out.read_text(), errors.read_text())


def _consumer(words: tuple[str, ...], environment: dict[str, str], out: str, errors: str) -> None:
    """Be `consumer`, in the forked process."""
    from consumer.__main__ import main

    os.environ.clear()
    os.environ.update(environment)
    for descriptor, path in ((sys.stdout.fileno(), out), (sys.stderr.fileno(), errors)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, descriptor)
        os.close(file)
    sys.argv = ["consumer", *words]
    main()
