"""The first lines of the process: it can be stopped before it does anything."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fresh_python import run_script
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("consumer")
ENDLESS = {"CONSUMER_TABLE": "orders", "CONSUMER_NAKADI_URL": "http://127.0.0.1:1"}

COMMANDS = (
    ("run",),
    ("check",),
    ("leases", "--watch"),
    ("gaps",),
    ("seek", "--to", "latest"),
    ("pause",),
    ("resume",),
    ("redrive",),
    ("republish",),
    ("snapshot",),
    ("settings",),
    ("iam-policy",),
    ("event-type",),
    ("health",),
    ("--help",),
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_signal_that_came_before_the_command_ends_it(words: tuple[str, ...]) -> None:
    """It waits, as in the image, which starts the command with the signal blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        process = subprocess.Popen(
            [COMMAND, *words],
            env=ENDLESS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told) == (143, b"")


def test_the_handler_stands_before_anything_else_is_imported() -> None:
    script = (
        "import os, signal, sys; before = set(sys.modules); import consumer.__main__;"
        "print(*sorted(sys.modules.keys() - before))"
    )
    answer = run_script(script, env={})
    assert answer.stdout == "consumer consumer.__main__\n"
