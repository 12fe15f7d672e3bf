"""What a stream does to its reader, on real sockets: errors, splits, trims, disabling, listings."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster import TABLE, UNHURRIED, Cluster, WorkerProcess, cluster
from tests.integration.consumer_process import run_consumer
from tests.patience import PATIENCE


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        made.settings.update(UNHURRIED)
        yield made


def refusal(made: Cluster, **settings: str) -> tuple[int, str]:
    """Exit code and standard error of a worker that cannot start."""
    done = run_consumer(["run"], {k: v for k, v in made.environment(**settings).items() if v})
    return done.returncode, done.stderr


@pytest.mark.parametrize("view_type", ["KEYS_ONLY", "OLD_IMAGE", "NEW_IMAGE"])
def test_a_view_type_without_the_images_needed_is_refused(tmp_path: Path, view_type: str) -> None:
    with cluster(tmp_path, view_type=view_type) as made:
        code, words = refusal(made)
        assert code == 2
        assert words.count("\n") == 1
        assert view_type in words
        assert "NEW_AND_OLD_IMAGES" in words
        if view_type != "NEW_IMAGE":
            code, words = refusal(made, CONSUMER_PATCH="false")
            assert code == 2
            assert "NEW_IMAGE" in words


def test_new_image_is_enough_without_patches_and_deletes_carry_the_key(tmp_path: Path) -> None:
    with cluster(tmp_path, view_type="NEW_IMAGE") as made:
        made.start(CONSUMER_PATCH="false")
        changes = [{"put": {"id": {"S": "a"}, "n": {"N": str(n)}}} for n in range(2)]
        made.streams.control(
            "write", table=TABLE, changes=[*changes, {"delete": {"id": {"S": "a"}}}]
        )
        made.until_settled()
        log: list[dict[str, Any]] = made.nakadi.log("order-store.order")
        events = [json.loads(entry["event"]) for entry in log]
        assert [event["data_op"] for event in events] == ["C", "U", "D"]
        assert "patch" not in events[1]["data"]
        assert {k: v for k, v in events[2]["data"].items() if k != "change"} == {"id": "a"}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"CONSUMER_STREAM_ARN": "", "CONSUMER_TABLE": "nowhere"}, "nowhere"),
        (
            {
                "CONSUMER_STREAM_ARN": "arn:aws:dynamodb:us-east-1:000000000000:table/orders"
                "/stream/2020-01-01T00:00:00.000"
            },
            "2020-01-01",
        ),
        ({"CONSUMER_ORDERING_KEY": "colour"}, "CONSUMER_ORDERING_KEY"),
        ({"CONSUMER_PATHC": "false"}, "CONSUMER_PATCH"),
    ],
)
def test_what_does_not_exist_or_fit_is_one_clear_line_and_exit_2(
    one: Cluster, settings: dict[str, str], named: str
) -> None:
    code, words = refusal(one, **settings)
    assert code == 2, words
    assert words.count("\n") == 1
    assert named in words
    assert "Traceback" not in words


def test_a_disabled_stream_is_refused_when_new_and_read_to_its_end_when_begun(one: Cluster) -> None:
    worker = one.start()
    one.fill(50)
    one.until_settled()
    worker.stop()
    one.fill(50)
    one.streams.control("stream", table=TABLE, enabled=False)
    code, words = refusal(one, CONSUMER_APPLICATION="another")
    assert code == 2
    assert "disabled" in words
    again = one.start(CONSUMER_LEASE_DURATION_SECONDS="10")  # after which its end is confirmed
    assert one.until_settled().duplicated == 0
    assert again.process.wait(PATIENCE) == 1
    assert "disabled" in again.log.read_text().splitlines()[-1]


def test_an_unreachable_stream_ends_with_1(one: Cluster) -> None:
    """After 30 s: that is shown in virtual time (tests/unit/test_find_stream.py)."""
    script = "from consumer import cli, find_stream; find_stream.START_SECONDS = 1.0; cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "run"],
        env=one.environment(AWS_ENDPOINT_URL_DYNAMODB_STREAMS="http://127.0.0.1:9"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert "could not be reached for 1 s" in done.stderr.splitlines()[-1]


def test_every_error_of_the_service_is_survived_without_loss_or_duplicate(one: Cluster) -> None:
    kinds = [
        "throttle",
        "limit-exceeded",
        "server-error",
        "expired",
        "validation",
        "reset",
        "empty",
        "truncate",
        "cut",
        "wrong-crc",
    ]
    faults: list[dict[str, object]] = [{"kind": kind, "count": 2, "skip": 1} for kind in kinds]
    faults += [
        {"kind": kind, "operation": operation, "count": None, "probability": 0.1}
        for kind in ("throttle", "server-error", "reset", "truncate")
        for operation in ("GetShardIterator", "DescribeStream")
    ]
    one.streams.control("split", shard="all", children=3)
    one.start(CONSUMER_LEASE_DURATION_SECONDS="30")  # after which a sweep that failed is repeated
    one.streams.control("faults", add=faults)
    for _ in range(20):
        one.fill(200, keys=50)
        time.sleep(0.1)
    one.streams.control("split", shard="random", children=2)
    one.streams.control("rotate", shard="random")
    one.fill(500, keys=50)
    verdict = one.until_settled()
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)
    stats = one.streams.control("stats")
    hit = stats["faults"]
    assert isinstance(hit, dict)
    assert set(kinds) <= {kind for kind, count in hit.items() if count}


def test_a_stream_that_is_denied_for_seconds_loses_nothing(one: Cluster) -> None:
    worker = one.start()
    one.fill(100, keys=20)
    one.until_settled()
    operations = ("GetRecords", "GetShardIterator", "DescribeStream")
    denied = [{"kind": "not-found", "operation": each, "count": None} for each in operations]
    one.streams.control("faults", add=denied)
    one.until(lambda: "not_found" in worker.log.read_text(), "a call that is denied", 20)
    time.sleep(8)  # longer than a look is repeated, shorter than a shard is given up
    one.streams.control("faults", clear=True)
    one.fill(100, keys=20)
    verdict = one.until_settled()
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)
    assert "records_lost_unread" not in worker.log.read_text()


def test_a_machine_whose_clock_is_wrong_tells_true_ages_and_expires_nothing_young(
    one: Cluster,
) -> None:
    script = (
        "import time; right = time.time; time.time = lambda: right() + 602; "
        "from consumer import cli; cli.main()"
    )
    log = one.folder / "wrong-clock.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", script, "run"],
            env=one.environment(CONSUMER_MAX_RECORD_AGE_SECONDS="300"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    worker = WorkerProcess(process, log)
    one.workers.append(worker)
    one.fill(100)
    assert one.until_settled().lost == 0
    one.until(lambda: bool(worker.events("clock_wrong")), "the warning")
    status = worker.status()
    assert abs(status["clock_ahead_seconds"] - 602) < 2
    assert [shard["age_seconds"] < PATIENCE for shard in status["shards"]] == [True]
    assert worker.metric("consumer_iterator_age_seconds") < PATIENCE
    assert worker.metric("consumer_dead_letters_total") == 0
    check = subprocess.run(
        [sys.executable, "-c", script, "check"],
        env=one.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert re.search(r"60[1-4] s ahead of AWS", check.stdout), check.stdout + check.stderr
    assert "silent" not in check.stdout  # the worker runs, and its row says so in AWS's time


def test_trimmed_records_are_a_gap_row_a_metric_and_an_error_and_reading_goes_on(
    one: Cluster,
) -> None:
    worker = one.start(CONSUMER_CHECKPOINT_SECONDS="1")
    one.fill(100)
    one.until_settled()
    one.until(lambda: worker.status()["shards"][0]["pending_events"] == 0, "settled")
    worker.stop()
    one.fill(100)
    one.streams.control("trim", shard="all")
    one.fill(30)
    again = one.start()
    one.until(lambda: one.verdict().lost == 100, "what is left is read")
    verdict = one.verdict()
    assert (verdict.changes, verdict.duplicated, verdict.out_of_order) == (230, 0, 0)
    (line,) = again.events("records_lost_unread")
    assert line["reason"] == "trimmed"
    assert again.metric("consumer_gaps_total") == 1


def test_more_than_100_shards_are_found_page_by_page(tmp_path: Path) -> None:
    with cluster(tmp_path, shards=230) as made:
        made.settings.update(UNHURRIED)
        worker = made.start()
        made.fill(2000, keys=2000)
        verdict = made.until_settled()
        assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)
        made.until(lambda: len(worker.shards()) == 230, "all held")


def test_latest_skips_what_was_written_before_and_loses_nothing_after(one: Cluster) -> None:
    one.fill(100)
    time.sleep(1.1)
    worker = one.start(CONSUMER_START="latest")
    one.until(lambda: len(worker.shards()) == 1, "held")
    worker.stop()
    one.streams.control("split", shard="all", children=2)
    one.fill(100)
    one.streams.control("rotate", shard="all")
    one.fill(100)
    one.start(CONSUMER_START="latest")
    one.until(lambda: one.verdict().lost <= 100, "all later ones")
    log = one.nakadi.log("order-store.order", fields="eid")
    assert len(log) >= 200
    assert one.verdict().out_of_order == 0


def test_children_are_found_by_the_sweep_where_a_backend_ignores_the_filter(one: Cluster) -> None:
    one.streams.control("options", child_filter=False)
    one.start(CONSUMER_DISCOVERY_SECONDS="2")
    one.fill(100)
    one.streams.control("split", shard="all", children=2)
    one.fill(100)
    verdict = one.until_settled()
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)
