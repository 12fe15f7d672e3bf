"""A worker under a limit of memory, while Nakadi is down and the stream holds far more."""

import json
import resource
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.crash.installation import installation, settled
from tests.crash.proxy import proxy
from tests.crash.trouble import Kind, Trouble
from tests.integration.cluster import TABLE, Cluster, WorkerProcess
from tests.unit.test_memory_figures import container_limit

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
    # What was under way when the way opened again may be stored, although it was given up.
    assert (verdict.lost, verdict.out_of_order) == (0, 0)


SMALLEST = 16 * MIB
LETTERS = 2
LARGEST_PAGE = 13 * MIB  # 400 KB of escapes in both images: body, record and event, as JSON


def large_items(version: int) -> Iterator[dict[str, object]]:
    """Items of up to 400 KB of which far more is made."""
    number = {"N": str(version)}
    yield {"n" * 10_000: {"M": {f"l{leaf}": number for leaf in range(25_000)}}}
    yield {name * 60_000: {"M": {f"l{leaf}": number for leaf in range(1_500)}} for name in "abcde"}
    yield {"list": {"L": [{"NULL": True}] * 190_000}, "version": number}
    for _ in range(6):
        yield {"n" * 5_000: {"M": {f"l{leaf}": number for leaf in range(190)}}}  # event: 960 KB
    for _ in range(LETTERS):
        yield {"text": {"S": "\u0001" * 380_000 + str(version)}}  # JSON: 2.3 MB, no event


def put(cluster: Cluster, key: str, item: dict[str, object]) -> None:
    """PutItem, as an SDK sends it."""
    credential = "a/20260101/eu-central-1/dynamodb/aws4_request"
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.PutItem",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}",
    }
    body = json.dumps({"TableName": TABLE, "Item": {"id": {"S": key}, **item}}).encode()
    request = urllib.request.Request(cluster.streams.url, body, headers)
    with urllib.request.urlopen(request) as answer:
        answer.read()


def test_the_limit_of_the_chart_is_enough_for_items_of_which_far_more_is_made(
    tmp_path: Path,
) -> None:
    settings = {"CONSUMER_QUEUE_BYTES": str(SMALLEST)}
    with (
        installation(tmp_path, settings, shards=5) as cluster,
        proxy(cluster.nakadi.url) as nakadi,
    ):
        worker = cluster.start(CONSUMER_NAKADI_URL=nakadi.url)
        limit = container_limit(SMALLEST)
        resource.prlimit(worker.process.pid, resource.RLIMIT_DATA, (limit, limit))
        cluster.until(lambda: len(worker.shards()) == 5, "all held")
        nakadi.set(Trouble(Kind.BLACKHOLE))
        for version in (1, 2):
            for number, item in enumerate(large_items(version)):
                put(cluster, f"k{number}", item)
        used = [0]

        def still() -> bool:
            used.append(worker.status()["queue"]["bytes"])
            return len(used) > 20 and used[-1] > 0 and len(set(used[-20:])) == 1

        cluster.until(still, "budget used up")
        assert max(used) <= SMALLEST + LARGEST_PAGE
        assert worker.get("/livez")[0] == 200
        nakadi.set(None)
        cluster.until(
            lambda: cluster.verdict().lost == 2 * LETTERS, "all published but the letters"
        )
        cluster.until(lambda: not worker.status()["queue"]["events"], "the letters are stored")
        assert peak(worker) < limit
        verdict = cluster.verdict()
    assert (verdict.duplicated, verdict.out_of_order) == (0, 0)
