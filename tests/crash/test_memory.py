"""A worker under a limit of memory, while Nakadi is down and the stream holds far more."""

import resource
from pathlib import Path

from tests.crash.installation import installation, settled
from tests.crash.proxy import proxy
from tests.crash.trouble import Kind, Trouble
from tests.integration.cluster import WorkerProcess

MIB = 1024 * 1024
BUDGET = 32 * MIB
BESIDE = 48 * MIB  # pages on their way, connections of twelve shards, what the allocator keeps
BACKLOG = 8_000  # records of 18 kB, events of 9 kB: twice the budget


def status(worker: WorkerProcess, name: str) -> int:
    """Bytes that the kernel counts under a name."""
    lines = Path(f"/proc/{worker.process.pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def peak(worker: WorkerProcess) -> int:
    """Bytes of resident memory at its highest so far."""
    return status(worker, "VmHWM")


def test_memory_keeps_to_the_budget_while_nakadi_is_down_and_the_backlog_is_worked_off_after(
    tmp_path: Path,
) -> None:
    with (
        installation(tmp_path, {"CONSUMER_QUEUE_BYTES": str(BUDGET)}) as cluster,
        proxy(cluster.nakadi.url) as nakadi,
    ):
        worker = cluster.start(CONSUMER_NAKADI_URL=nakadi.url)
        cluster.until(lambda: len(worker.shards()) == 12, "all held")
        idle = peak(worker)
        limit = status(worker, "VmData") + BUDGET + BESIDE
        resource.prlimit(worker.process.pid, resource.RLIMIT_DATA, (limit, limit))
        nakadi.set(Trouble(Kind.BLACKHOLE))
        for first in range(0, BACKLOG, 1000):
            cluster.fill(1000, keys=1000, first=first, padding=8000)
        used = [0]

        def still() -> bool:
            used.append(worker.status()["queue"]["bytes"])
            return used[-1] > BUDGET * 0.8 and len(used) > 20 and len(set(used[-20:])) == 1

        cluster.until(still, "budget used up")
        assert max(used) <= BUDGET
        assert worker.metric("consumer_records_read_total") < BACKLOG * 0.7
        assert worker.get("/livez")[0] == 200
        nakadi.set(None)
        verdict = settled(cluster)
        assert peak(worker) - idle < BUDGET + BESIDE
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)
