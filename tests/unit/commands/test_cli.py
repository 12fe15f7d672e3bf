"""The command line as its users meet it: exit codes, and one line on stderr for each mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consumer import __version__, cli
from consumer.errors import Misconfigured, Unreachable
from tests.fresh_python import run_script
from tests.patience import PATIENCE

if TYPE_CHECKING:
    import argparse
    import io

COMMAND = Path(sys.executable).with_name("consumer")
PATH = {"PATH": os.environ["PATH"]}
LEAST = {
    **PATH,
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "http://localhost:8080",
    "CONSUMER_EVENT_TYPE": "order-store.payment",
}


def consumer(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words],
        env={**LEAST, **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_without_a_command_it_prints_help() -> None:
    answer = consumer()
    assert answer.returncode == 0
    shown = (
        "preview",
        "event-type",
        "seek",
        "pause",
        "resume",
        "run",
        "check",
        "leases",
        "gaps",
        "redrive",
        "settings",
        "iam-policy",
        "health",
    )
    for command in shown:
        assert f"    {command}" in answer.stdout
    assert answer.stderr == ""


def test_the_module_is_the_command() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "consumer", "--version"],
        env=PATH,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert answer.stdout == f"consumer {__version__}\n"


@pytest.mark.parametrize(
    "words", [("rnu",), ("run", "--fast"), ("iam-policy", "--for", "all"), ("settings", "--mark")]
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(words: tuple[str, ...]) -> None:
    answer = consumer(*words)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith("consumer")
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["run", "check", "leases", "gaps", "redrive", "iam-policy"])
def test_a_wrong_setting_is_one_line_and_exit_code_2(command: str) -> None:
    queue = {"CONSUMER_DEAD_LETTER_QUEUE_URL": "http://127.0.0.1:1/1/letters"}
    answer = consumer(command, **queue, CONSUMER_POLL_SECONDS="soon")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == (
        "consumer: CONSUMER_POLL_SECONDS: found 'soon', wanted a valid number\n"
    )


def test_check_offline_looks_at_the_settings_alone() -> None:
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_EC2_METADATA_DISABLED": "true"}
    answer = consumer("check", "--offline", **nowhere)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == (
        "settings are fine: application order-store.payment; nothing was called\n"
    )
    beside = consumer("check", "--offline", "--redrive-by-mapping")
    assert (beside.returncode, beside.stdout) == (2, "")
    assert "--redrive-by-mapping: found it beside --offline" in beside.stderr
    wrong = consumer("check", "--offline", CONSUMER_LEASE_DURATION_SECONDS="1")
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)


def test_an_unknown_variable_is_answered_with_the_nearest_name() -> None:
    answer = consumer("iam-policy", CONSUMER_NAKADI_TOKN="s3cret")
    assert answer.returncode == 2
    assert answer.stderr == (
        "consumer: CONSUMER_NAKADI_TOKN: found an unknown variable,"
        " wanted perhaps CONSUMER_NAKADI_TOKEN\n"
    )


def test_settings_are_explained_without_any_configuration() -> None:
    answer = subprocess.run(
        [COMMAND, "settings"],
        env=PATH,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert "CONSUMER_LEASE_DURATION_SECONDS" in answer.stdout
    assert answer.stderr == ""


def test_a_reader_that_has_left_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    answer = subprocess.run(
        [COMMAND, "settings"],
        env=PATH,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    os.close(writing)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_probe_of_a_container_imports_little() -> None:
    script = (
        "import sys; from consumer import cli;"
        "cli.execute(['health'], {'CONSUMER_HTTP_PORT': '1'});"
        "print(*{'aiobotocore', 'botocore', 'aiohttp', 'httpx', 'pydantic', 'asyncio'}"
        " & sys.modules.keys())"
    )
    answer = run_script(script, env=PATH)
    assert answer.stdout.strip() == ""
    assert "no answer from 127.0.0.1 port 1" in answer.stderr


def test_health_cannot_ask_at_a_port_that_the_service_chose() -> None:
    answer = consumer("health", CONSUMER_HTTP_PORT="0")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "CONSUMER_HTTP_PORT: found 0, by which the service takes any free" in answer.stderr


def test_without_a_region_check_says_once_what_to_set() -> None:
    nothing = {"CONSUMER_NAKADI_URL": "http://127.0.0.1:1", "AWS_CONFIG_FILE": os.devnull}
    answer = consumer("check", **nothing)
    assert answer.returncode == 2
    assert answer.stdout.count("AWS_REGION: not set") == 1
    assert "→ set AWS_REGION\n" in answer.stdout
    assert "event type" in answer.stdout


class Command:
    """Stands in for a command's module."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def run(self, arguments: argparse.Namespace, environ: object, out: io.TextIOBase) -> int:
        raise self.error


def ending(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    monkeypatch.setattr(cli, "import_module", lambda _: Command(error))
    return cli.execute(["run"], {})


def test_a_fatal_error_ends_with_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(monkeypatch, Misconfigured("two\nlines")) == 2
    assert ending(monkeypatch, Unreachable("gone")) == 1
    assert capsys.readouterr().err == "consumer: two lines\nconsumer: gone\n"


def test_a_fatal_error_out_of_a_task_group_is_the_same_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = BaseExceptionGroup("", [Misconfigured("wrong"), Unreachable("gone")])
    assert ending(monkeypatch, BaseExceptionGroup("", [inner])) == 2
    assert capsys.readouterr().err == "consumer: wrong\n"


def test_a_crash_beside_a_fatal_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    group = ExceptionGroup("", [Misconfigured("wrong"), KeyError("bug")])
    with pytest.raises(ExceptionGroup):
        ending(monkeypatch, group)
    with pytest.raises(ExceptionGroup):
        ending(monkeypatch, ExceptionGroup("", [KeyError("bug")]))
    with pytest.raises(KeyError):
        ending(monkeypatch, KeyError("bug"))


def test_an_interrupt_is_told_as_shells_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ending(monkeypatch, KeyboardInterrupt()) == 130
