"""Which modules a command imports. A container runs `health` every few seconds, on a busy host."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fresh_python import run_script

HEAVY = frozenset(
    {
        "aiobotocore",
        "aiohttp",
        "asyncio",
        "botocore",
        "consumer.service",
        "consumer.settings.file",
        "consumer.settings.settings",
        "dataclasses",
        "email",
        "http",
        "httpx",
        "inspect",
        "json",
        "logging",
        "msgspec",
        "orjson",
        "prometheus_client",
        "pydantic",
        "ssl",
        "structlog",
        "urllib",
        "uvloop",
        "yaml",
    }
)
"""Each of these takes more time than all that `health` has to do."""


def imported(words: str, **environ: str) -> frozenset[str]:
    """Return the modules that have been imported when a command has ended."""
    script = (
        "import os, sys, consumer.cli; consumer.cli.execute(sys.argv[1:], os.environ);"
        "print(*sys.modules, file=sys.stderr)"
    )
    answer = run_script(script, *words.split(), env={"PATH": os.environ["PATH"], **environ})
    return frozenset(answer.stderr.splitlines()[-1].split())


def test_health_imports_nothing_heavy() -> None:
    modules = imported("health", CONSUMER_HTTP_PORT="1")
    assert "consumer.commands.health" in modules
    assert not modules & HEAVY


def test_health_reads_the_file_if_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "consumer.yaml"
    file.write_text("http_port: 1\n")
    modules = imported("health", CONSUMER_CONFIG_FILE=str(file))
    assert modules & HEAVY == {"consumer.settings.file", "json", "urllib", "yaml"}


@pytest.mark.parametrize("name", sorted(HEAVY))
def test_what_health_must_not_import_exists(name: str) -> None:
    """A name that is misspelt, or was renamed, would hold nothing."""
    assert find_spec(name) is not None


def test_garbage_is_looked_for_again_but_not_in_what_was_imported() -> None:
    script = (
        "import gc, sys; from consumer import cli; cli.execute(['settings'], {});"
        "print(gc.isenabled(), gc.get_freeze_count() > len(gc.get_objects()), file=sys.stderr)"
    )
    answer = run_script(script)
    assert answer.stderr == "True True\n"
