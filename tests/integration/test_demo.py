"""`python -m localdev.demo` as a user starts it: what it prints, its exit code, what it leaves."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from localdev.demo.stop import INTERRUPTED
from localdev.nakadi.process import NakadiProcess
from tests.patience import PATIENCE


class Demo:
    """A running demo. `text` is what it has printed so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.text = ""
        self._seen: set[psutil.Process] = set()

    def until(self, pattern: str) -> re.Match[str]:
        """Read on until the text holds the pattern."""
        deadline = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.text)) is None:
            assert self._read(deadline), f"no {pattern!r} in:\n{self.text}"
        return found

    def end(self) -> int:
        """Read to the end, and return the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self.process.wait(PATIENCE)

    def count(self, name: str) -> int:
        """A number of the summary."""
        found = re.search(rf"^  {name}.* (\d+)(?: +\(.*\))?$", self.text, re.MULTILINE)
        assert found is not None, self.text
        return int(found[1])

    def remaining(self) -> list[psutil.Process]:
        """Processes of the demo that still run, its grandchildren among them."""
        return [
            process
            for process in self._seen
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        ]

    def _read(self, deadline: float) -> bool:
        with suppress(psutil.NoSuchProcess):
            self._seen.update(psutil.Process(self.process.pid).children(recursive=True))
        assert self.process.stdout is not None
        output = self.process.stdout.fileno()
        readable, _, _ = select.select([output], [], [], deadline - time.monotonic())
        assert readable, f"silent for too long:\n{self.text}"
        data = os.read(output, 65536)
        self.text += data.decode(errors="replace")
        return bool(data)


@contextmanager
def demo(*arguments: str) -> Iterator[Demo]:
    with subprocess.Popen(
        (sys.executable, "-m", "localdev.demo", *arguments),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    ) as process:
        running = Demo(process)
        try:
            yield running
        finally:
            process.kill()
            for left in running.remaining():
                left.kill()


def in_a_shell(command: str) -> subprocess.CompletedProcess[str]:
    """What a user types in another terminal, whose AWS settings are those of an account."""
    return subprocess.run(
        ("bash", "-c", command),
        env={**os.environ, "AWS_PROFILE": "production", "CONSUMER_TABLE": "payments"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.slow
def test_the_default_form_shows_events_and_a_summary() -> None:
    with demo("--duration", "6") as shown:
        assert shown.end() == 0, shown.text
        assert shown.remaining() == []
        assert shown.count("changes") == shown.count("events") > 20
        for mistake in ("lost", "duplicated", "out of order", "dead letters"):
            assert shown.count(mistake) == 0
        assert "in 1 shard " in shown.text
        assert '"data_op": "C"' in shown.text
        assert re.search(r"worker-1 +http://127\.0\.0\.1:\d+/  its status page", shown.text)
        assert '{"op": "replace", "path": "/status", "value": "PAID"}' in shown.text
        assert re.search(r"Nakadi +http://127\.0\.0\.1:\d+/  open it in a browser", shown.text)
        assert "kill -9" not in shown.text, "there is nobody to take over"
        assert "For more time to try it: make run DURATION=60\n" in shown.text
        assert "to kill: make run SHARDS=8 WORKERS=3 DURATION=60\n" in shown.text
        count = shown.count("changes")
        assert f"\nended: changes written {count}, events accepted {count}, " in shown.text
        assert "\nGOOD: " in shown.text
        assert "\x1b" not in shown.text, "no colour in a file"


@pytest.mark.slow
def test_with_routes_each_event_type_has_its_own_summary() -> None:
    with demo("--routes", "--duration", "8") as shown:
        assert shown.end() == 0, shown.text
        summary = shown.text[shown.text.index("Counted from") :]
        everything = re.search(
            r"changes, in 1 shard +(\d+)\n +that nobody is told of +(\d+)\n"
            r" +card numbers in them +(\d+)\n +places that show one +0\n",
            summary,
        )
        assert everything is not None, summary
        changes, untold, cards = map(int, everything.groups())
        assert min(untold, cards) > 10
        parts = re.findall(
            r"^(shop\.\w+)\n  changes to tell +(\d+)\n  events +(\d+)\n", summary, re.MULTILINE
        )
        assert [name for name, *_ in parts] == ["shop.order", "shop.customer"]
        assert all(0 < int(told) <= int(events) for _, told, events in parts)
        assert sum(int(told) for _, told, _ in parts) + untold == changes
        assert '"entered": true' in shown.text
        assert '"left": true' in shown.text
        assert '"payment": {"method": "card"}' in shown.text
        assert "card_number" not in shown.text
        assert "\nGOOD: every change is in each event type that takes it" in shown.text
        assert "routes      localdev/workload/routes.yaml  " in shown.text


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_nothing_is_lost() -> None:
    with demo("--duration", "0", "--shards", "4", "--workers", "2") as shown:
        suggested = shown.until(r"(source .*)\n.* (worker-\d);.*\n +kill -9 (\d+)\n")
        assert ", leases 0, " in shown.text, "it says what it does before"
        shown.until(r"running.* events accepted [1-9]\d*, .* leases [4-9]")
        listed = in_a_shell(suggested[1].removesuffix("--watch"))
        assert listed.returncode == 0
        assert re.search(r"^shardId-\S+ +held", listed.stdout, re.MULTILINE), listed
        checked = in_a_shell(suggested[1].replace("leases --watch", "check"))
        assert checked.returncode == 0, checked.stdout
        os.kill(int(suggested[3]), signal.SIGKILL)
        shown.until(f"{suggested[2]} killed by signal 9")
        shown.process.terminate()
        assert shown.end() == 0, shown.text
        assert shown.remaining() == []
        assert re.search(r"worker-\d ended with exit code 0", shown.text)
        shards = re.search(r"in (\d+) shards", shown.text)
        assert shards is not None
        assert int(shards[1]) > 4, "none has split"
        assert shown.count("events") - shown.count("duplicated") == shown.count("changes") > 20
        assert shown.count("lost") == 0
        assert shown.count("out of order") == 0
    late = in_a_shell(suggested[1])
    assert (late.returncode, late.stdout.count("\n")) == (1, 1)
    assert "the demo has ended" in late.stdout


@pytest.mark.slow
def test_a_worker_that_crashes_makes_it_fail_and_its_log_is_shown() -> None:
    with demo("--duration", "0") as shown:
        worker = int(shown.until(r"worker-1\s+process (\d+)")[1])
        shown.until(r"running.* events accepted [1-9]")
        os.kill(worker, signal.SIGSEGV)
        assert shown.end() == 1
        assert shown.remaining() == []
        assert "worker-1 failed: killed by signal 11; the end of .run/demo/" in shown.text
        assert "lease_taken" in shown.text


@pytest.mark.slow
def test_a_loss_makes_it_fail() -> None:
    with demo("--duration", "0") as shown:
        worker = int(shown.until(r"worker-1\s+process (\d+)")[1])
        shown.until(r"changes written [1-9]")
        os.kill(worker, signal.SIGKILL)  # and there is no other
        assert shown.end() == 1
        assert shown.remaining() == []
        assert shown.count("lost") == shown.count("changes") - shown.count("events") > 0
        assert "failed" not in shown.text
        assert f"\nBAD: {shown.count('lost')} lost\n" in shown.text


@pytest.mark.slow
def test_a_dead_letter_is_counted_and_is_no_loss() -> None:
    with demo("--duration", "0") as shown:
        url = shown.until(r"Nakadi\s+(http://[^/]+)/")[1]
        nakadi = NakadiProcess(url, 0)
        nakadi.add_fault(kind="reject", field="order_id", value="o-00040")
        shown.until(r"dead letters [1-9]")
        nakadi.remove_faults()
        shown.process.terminate()
        assert shown.end() == 0, shown.text
        assert shown.count("dead letters") > 0
        assert shown.count("changes") == shown.count("events") + shown.count("dead letters")
        assert shown.count("lost") == 0


@pytest.mark.slow
def test_an_interrupt_ends_it_with_a_summary() -> None:
    with demo("--duration", "0") as shown:
        shown.until(r"running.* events accepted [1-9]")
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 0, shown.text
        assert shown.remaining() == []
        assert shown.count("changes") == shown.count("events") > 0


@pytest.mark.slow
def test_an_interrupt_while_it_sets_up_ends_it_at_once() -> None:
    with demo("--duration", "0") as shown:
        shown.until("^setting up")
        shown.until("setting up: a local Nakadi")
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == INTERRUPTED
        assert shown.remaining() == []
        assert shown.text.endswith("stopped before the end: there is no verdict\n")
        assert "worker-1" not in shown.text


@pytest.mark.slow
def test_an_impatient_user_leaves_nothing_behind() -> None:
    with demo("--duration", "0") as shown:
        shown.until(r"worker-1\s+process")
        while shown.process.poll() is None:
            shown.process.terminate()
            time.sleep(0.05)
        assert shown.process.returncode != 0
        assert shown.remaining() == []
