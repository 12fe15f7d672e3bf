"""A snapshot beside the service, while items change, with processes that are killed."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from localdev.aws.process import AwsProcess
from localdev.nakadi.process import NakadiProcess
from tests.integration.consumer_process import run_consumer
from tests.integration.snapshot_load import Writer, of_all, of_orders, read, table_of
from tests.integration.snapshot_service import SnapshotService

ITEMS = 1_500
CHANGES_A_SECOND = 60.0
SEGMENTS = 8
RATES = ("--rcu", "40", "--max-rate", "300")


@pytest.fixture
def service(
    ministack: AwsProcess, nakadi_server: NakadiProcess, tmp_path: Path
) -> Iterator[SnapshotService]:
    made = SnapshotService(ministack, nakadi_server, tmp_path)
    yield made
    made.close()


def test_readers_end_equal_to_the_table_though_processes_are_killed(
    service: SnapshotService,
) -> None:
    writer = Writer(service, ITEMS, CHANGES_A_SECOND)
    writer.fill()
    service.start("run")
    service.until(lambda: len(service.stored(service.all)) >= ITEMS, "the service has caught up")
    words = ("snapshot", "--id", "first", "--segments", str(SEGMENTS), *RATES, "--yes")
    with writer:
        began_at = {name: len(service.stored(name)) for name in (service.all, service.order)}
        for settled in (ITEMS // 5, 2 * ITEMS // 5):
            victim = service.start(*words)
            service.until(partial(service.has_counted, settled), "a part is settled")
            victim.kill()
            assert victim.wait() == -9
        last = [service.start(*words), service.start(*words)]
        assert [process.wait() for process in last] == [0, 0]
    assert all(row["done"]["BOOL"] for row in service.rows())
    assert len(service.rows()) == SEGMENTS
    items = table_of(service)

    def empty_at_first() -> Any:
        """It knows nothing of what came before the snapshot."""
        return read(service.stored(service.all)[began_at[service.all] :], "pk", "sk")

    service.until(lambda: bool(empty_at_first() == of_all(items)), "all changes are published")
    assert read(service.stored(service.all), "pk", "sk") == of_all(items)
    view = service.stored(service.order)
    assert read(view, "pk", "line") == of_orders(items)
    assert read(view[began_at[service.order] :], "pk", "line") == of_orders(items)


def test_the_same_id_again_over_an_unchanged_table_gives_the_same_eids(
    service: SnapshotService,
) -> None:
    Writer(service, 200, 1.0).fill()
    eids = []
    for words in (("--id", "first"), ("--id", "first", "--again", "--segments", "3")):
        before = len(service.stored(service.all))
        code, _, errors = service.snapshot(*words, "--without-service")
        assert code == 0, errors
        stored = service.stored(service.all)[before:]
        eids.append(sorted(each["metadata"]["eid"] for each in stored))
    assert len(eids[0]) == 200
    assert eids[0] == eids[1]


def test_a_process_that_is_told_to_stop_gives_its_segments_back(service: SnapshotService) -> None:
    Writer(service, 300, 1.0).fill()
    words = ("snapshot", "--id", "first", "--without-service", "--yes", "--max-rate")
    process = service.start(*words, "20")
    service.until(partial(service.has_counted, 1), "a page is settled")
    process.terminate()
    assert process.wait() == 1
    told = (service.folder / "snapshot-0.log").read_text().splitlines()[-1]
    assert told.endswith("snapshot first has not ended: it was called off; --id first goes on")
    assert {"owner" in row for row in service.rows()} == {False}
    before = service.counted()
    assert before < 300
    assert service.start(*words, "1000").wait() == 0
    assert service.counted() == 300
    keys = [(each["data"]["pk"], each["data"]["sk"]) for each in service.stored(service.all)]
    assert len(set(keys)) == 300
    assert len(keys) - 300 <= 4 * 10  # a page of each segment at most


def test_without_a_service_that_reads_the_stream_it_does_not_begin(
    service: SnapshotService,
) -> None:
    Writer(service, 30, 1.0).fill()
    code, _, errors = service.snapshot()
    assert (code, errors.count("\n")) == (2, 1)
    assert "has not begun with the table's latest stream" in errors
    worker = service.start("run")
    service.until(lambda: len(service.stored(service.all)) == 30, "the service has caught up")
    assert run_consumer(["pause", "--yes"], service.environ).returncode == 0
    code, _, errors = service.snapshot()
    assert (code, "1 shards are paused, or will be" in errors) == (2, True), errors
    assert run_consumer(["resume"], service.environ).returncode == 0
    worker.kill()
    worker.wait()
    code, _, errors = service.snapshot()
    assert (code, "no worker of it is alive" in errors) == (2, True), errors
    assert {each["data_op"] for each in service.stored(service.all)} == {"C"}
    service.start("run")
    service.until(lambda: service.snapshot("--id", "first")[0] == 0, "a worker lives again")
    events = service.stored(service.all)
    assert sorted(json.dumps(each["data"]["pk"]) for each in events if each["data_op"] == "S") == (
        sorted(json.dumps(each["data"]["pk"]) for each in events if each["data_op"] == "C")
    )
