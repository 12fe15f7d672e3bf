"""docs/streams-server.md, "Run the consumer against it": its commands, as typed into a shell."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from localdev.aws.dynamodb_local import free_port
from localdev.demo.environment import clean
from localdev.nakadi.process import NakadiProcess, RefusedError
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "streams-server.md").read_text()
CHANGES, SHARDS = 300, 4
LOOK_SECONDS = 0.2


def commands() -> list[str]:
    """The chapter's blocks, in order, with the programs of this environment."""
    chapter = PAGE.split("\n## Run the consumer against it\n")[1].split("\n## ")[0]
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)
    return [block.replace(".venv/bin/", f"{Path(sys.executable).parent}/") for block in blocks]


@pytest.mark.slow
def test_its_commands_join_servers_and_consumer(tmp_path: Path) -> None:
    servers, environment, work, look, end = commands()
    nakadi, status = free_port(), free_port()
    ports = {"8010": free_port(), "4566": free_port(), "8090": nakadi}

    def on_free_ports(block: str) -> str:
        for documented, free in ports.items():
            block = re.sub(rf"\b{documented}\b", str(free), block)
        return block

    printed = tmp_path / "printed"
    with (
        printed.open("w") as output,
        subprocess.Popen(
            ("bash", "-e"),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=clean(os.environ) | {"CONSUMER_HTTP_PORT": str(status)},
            text=True,
            start_new_session=True,
        ) as shell,
    ):
        assert shell.stdin is not None
        try:
            shell.stdin.write(on_free_ports(servers + environment + work))
            shell.stdin.flush()
            events = NakadiProcess(f"http://127.0.0.1:{nakadi}", 0)
            deadline = time.monotonic() + PATIENCE
            while count(events) < CHANGES:
                assert shell.poll() is None, printed.read_text()
                assert time.monotonic() < deadline, printed.read_text()
                time.sleep(LOOK_SECONDS)
            with urlopen(f"http://127.0.0.1:{status}/") as page:
                assert page.headers.get_content_type() == "text/html"
            shell.communicate(on_free_ports(look + end) + "wait\n", PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    text = printed.read_text()
    assert shell.returncode == 0, text
    assert len(re.findall(r"^shardId-", text, re.MULTILINE)) >= SHARDS, text
    assert text.rstrip().endswith(f"\n{CHANGES}"), text


def count(nakadi: NakadiProcess) -> int:
    """The events in Nakadi; 0 before there is one, or the event type."""
    with suppress(OSError, RefusedError):
        return len(nakadi.log("order-store.order", "eid"))
    return 0
