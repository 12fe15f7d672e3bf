"""`consumer repair` on the embedded AWS, whose exports get files of the documented form."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from consumer.core.reports.times import iso
from consumer.runtime.republish.repairing import BATCH_KEYS
from tests.integration.consumer_process import ConsumerProcess, run_consumer
from tests.integration.exported import change, data_file
from tests.integration.exports_front import exports_front
from tests.integration.repair_desk import RepairDesk
from tests.integration.republished import item, key
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from localdev.aws.process import AwsProcess
    from localdev.nakadi.process import NakadiProcess

Json = Any


@pytest.fixture
def desk(
    ministack: AwsProcess, nakadi_server: NakadiProcess, tmp_path: Path
) -> Iterator[RepairDesk]:
    made = RepairDesk(ministack, nakadi_server, tmp_path)
    yield made
    nakadi_server.remove_faults()
    made.exported.close()
    made.dynamodb.close()


@pytest.fixture(scope="module")
def still(
    ministack: AwsProcess, nakadi_server: NakadiProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RepairDesk]:
    """A desk at which nothing is ever published."""
    made = RepairDesk(ministack, nakadi_server, tmp_path_factory.mktemp("still"))
    made.lose(made.gap)
    yield made
    assert made.stored(made.all) == []
    assert made.gaps()[0]["repaired_at"] is None
    made.exported.close()
    made.dynamodb.close()


def lines_of_a_gap(desk: RepairDesk) -> list[list[Json]]:
    """Five keys that changed in the gap: the table holds the first two, as they became later."""
    desk.put(item("o-1", 1, n={"N": "11"}), item("o-2", 1, n={"N": "2"}), item("o-8", 1))
    at = desk.since + 60
    return [
        [
            change(key("o-1", 1), at, new=item("o-1", 1, n={"N": "1"})),
            change(key("o-2", 1), at, old=item("o-2", 1), new=item("o-2", 1, n={"N": "2"})),
            change(key("o-3", 1), at, new=item("o-3", 1, n={"N": "3"})),  # deleted since
        ],
        [
            change(key("o-4", 1), at, old=item("o-4", 1, n={"N": "4"})),  # deleted in the gap
            change(key("o-5", 1), at, old=item("o-5", 1, "LOCK")),
        ],
    ]


def test_a_gap_is_repaired_by_what_the_table_holds_now(desk: RepairDesk) -> None:
    arn = desk.export(*lines_of_a_gap(desk))
    desk.lose(desk.gap)
    code, out, errors = desk.repair("--gap", "s-1/400", "--export", arn, "--yes")
    assert (code, errors) == (0, ""), out
    assert "5 lines, 5 keys, at most 10 events" in out
    assert desk.events() == [
        ("D", "o-3", 1, 3),
        ("D", "o-4", 1, 4),
        ("D", "o-5", 1, None),
        ("S", "o-1", 1, 11),
        ("S", "o-2", 1, 2),
    ]
    assert sorted((each["data_op"], each["data"]["pk"]) for each in desk.stored(desk.order)) == [
        ("D", "o-3"),
        ("D", "o-4"),
        ("S", "o-1"),
        ("S", "o-2"),
    ]
    assert all("read_at" in each["data"]["change"] for each in desk.stored(desk.all))
    (gap,) = desk.gaps()
    assert gap["repaired_at"] is not None
    before = desk.stored(desk.all)
    code, out, _ = desk.repair("--gap", "s-1/400", "--export", arn, "--yes")
    assert code == 0
    assert "--again publishes it once more" in out
    assert desk.stored(desk.all) == before
    code, _, _ = desk.repair("--gap", "s-1/400", "--export", arn, "--yes", "--again")
    assert code == 0
    again = desk.stored(desk.all)
    assert len(again) == 2 * len(before)
    eids = {each["metadata"]["eid"] for each in again}
    assert eids == {each["metadata"]["eid"] for each in before}, "nothing new"


def bare_lines(desk: RepairDesk, count: int) -> list[Json]:
    at = desk.since + 1
    return [
        change(key("o-1", number), at, old=item("o-1", number, n={"N": str(number)}))
        for number in range(count)
    ]


def test_an_export_is_begun_once_and_a_killed_repair_goes_on_where_it_was(
    desk: RepairDesk, tmp_path: Path
) -> None:
    count = 2 * BATCH_KEYS + 7
    desk.lose(desk.gap)
    words = ["repair", "--gap", "all", "--bucket", desk.exported.bucket, "--yes"]
    with exports_front(desk.aws.endpoint_url) as backup:
        backup.lost_answers = 1
        environ = {
            **desk.environ,
            "AWS_ENDPOINT_URL_DYNAMODB": backup.url,
            "AWS_ENDPOINT_URL_S3": desk.aws.endpoint_url,
        }
        with killed_in_the_end(words, environ, tmp_path / "1") as first:
            until(lambda: "in progress" in (tmp_path / "1").read_text(), first)
        assert len(backup.tokens) == 2, "the answer to the first was lost"
        assert len(set(backup.tokens)) == 1
        [begun] = desk.exported.dynamodb.list_exports(TableArn=desk.exported.arn)["ExportSummaries"]
        lines = bare_lines(desk, count)
        desk.exported.write(begun["ExportArn"], desk.begin, desk.end, [data_file(lines)])
        backup.complete = True
        with killed_in_the_end(words, environ, tmp_path / "2") as second:
            until(lambda: desk.row(f"repair/{desk.table}/").get("settled"), second)
        sent = len(desk.stored(desk.all))
        assert BATCH_KEYS <= sent <= 2 * BATCH_KEYS
        third = run_consumer(words, environ)
        assert third.returncode == 0, third.stderr
        assert len(backup.tokens) == 2, "no other export was asked for"
    assert f"; {BATCH_KEYS} keys are settled by an earlier run\n" in third.stdout
    stored = [each["data"]["sk"] for each in desk.stored(desk.all)]
    assert sorted(set(stored)) == [*range(count)]
    assert len(stored) - sent == count - BATCH_KEYS, "it went on behind what was settled"
    (gap,) = desk.gaps()
    assert gap["repaired_at"] is not None


def test_what_the_backup_has_forgotten_is_said_and_the_rest_is_repaired(desk: RepairDesk) -> None:
    desk.lose(desk.gap)
    with exports_front(desk.aws.endpoint_url) as backup:
        desk.environ["AWS_ENDPOINT_URL_DYNAMODB"] = backup.url
        backup.earliest = desk.since + 60.0
        words = ("--gap", "s-1/400", "--bucket", desk.exported.bucket)
        code, out, _ = desk.repair(*words, "--dry-run")
        assert code == 0
        assert f"out of reach: what was changed before {iso(desk.since + 60)}" in out
        assert f"export of {iso(desk.since + 60)} to {iso(desk.end)}\n" in out
        assert not backup.tokens, "nothing was exported"
        backup.earliest = desk.until + 1
        code, _, errors = desk.repair(*words, "--yes")
        assert (code, len(errors.splitlines())) == (2, 1)
        assert "out of reach" in errors


def test_a_table_without_point_in_time_recovery(still: RepairDesk) -> None:
    code, _, errors = still.repair("--gap", "s-1/400", "--bucket", "b", "--yes")
    assert (code, len(errors.splitlines())) == (2, 1)
    assert "point-in-time recovery is off" in errors


def test_all_stands_for_the_gaps_that_are_not_repaired(desk: RepairDesk) -> None:
    sought = replace(desk.gap, from_="600", to="700", reason="seek")
    desk.lose(desk.gap, sought)
    arn = desk.export([])
    code, out, _ = desk.repair("--gap", "all", "--export", arn, "--yes")
    assert code == 0
    assert "s-1/400" in out
    assert "s-1/600" not in out
    code, _, errors = desk.repair("--gap", "all", "--export", arn, "--yes")
    assert code == 2
    assert "there is no gap that is not repaired" in errors


def test_a_span_needs_no_gap_row(desk: RepairDesk) -> None:
    desk.lose()
    arn = desk.export(*lines_of_a_gap(desk))
    span = ("--from", iso(desk.since), "--to", iso(desk.until))
    code, out, _ = desk.repair(*span, "--export", arn, "--yes")
    assert code == 0, out
    assert len(desk.events()) == 5
    code, _, _ = desk.repair("--export", arn, "--yes", "--route", "orders")
    assert code == 0
    assert len(desk.events()) == 5
    assert len(desk.stored(desk.order)) == 2 * 4


def test_what_was_refused_leaves_the_gap_as_it_is(desk: RepairDesk, tmp_path: Path) -> None:
    desk.lose(desk.gap)
    desk.put(item("o-1", 1, amount={"S": "none"}), item("o-2", 1))
    lines = [change(key(name, 1), desk.since, new=item(name, 1)) for name in ("o-1", "o-2")]
    arn = desk.export(lines)
    refused = tmp_path / "refused"
    words = ("--gap", "all", "--export", arn, "--yes", "--refused", str(refused))
    code, out, _ = desk.repair(*words)
    assert code == 1
    assert "not repaired: run the command again" in out
    assert {json.loads(line)["key"]["pk"]["S"] for line in refused.read_text().splitlines()} == {
        "o-1"
    }
    assert desk.gaps()[0]["repaired_at"] is None
    desk.put(item("o-1", 1))
    code, _, _ = desk.repair(*words)
    assert code == 0
    assert desk.gaps()[0]["repaired_at"] is not None


GOOD = data_file([{"Metadata": {"WriteTimestampMicros": {"N": "1"}}, "Keys": key("o-1", 1)}])


@pytest.mark.parametrize(
    ("files", "checksums", "summary", "told"),
    [
        ([GOOD], [b"other"], {}, "its MD5 is not that of the manifest"),
        ([GOOD[:-9]], [GOOD], {}, "its MD5 is not that of the manifest"),
        ([GOOD[:-9]], None, {}, "gzip that is cut off"),
        ([GOOD, b"no gzip"], None, {}, "damaged gzip"),
        ([data_file([{"Item": {"pk": {"S": "x"}}}])], None, {}, "a line is no exported change"),
        ([], None, {"exportType": "FULL_EXPORT"}, "wanted 'INCREMENTAL_EXPORT'"),
        ([], None, {"tableArn": "arn:other"}, "tableArn"),
        ([], None, {"outputView": "NEW_IMAGE"}, "wanted 'NEW_AND_OLD_IMAGES'"),
        ([], None, {"manifestFilesS3Key": "absent"}, "NoSuchKey"),
    ],
)
def test_files_that_are_not_the_export_end_it_with_one_line(
    still: RepairDesk,
    files: list[bytes],
    checksums: list[bytes] | None,
    summary: dict[str, str],
    told: str,
) -> None:
    arn = still.exported.begin(still.begin, still.end)
    still.exported.write(arn, still.begin, still.end, files, checksums=checksums, **summary)
    code, _, errors = still.repair("--gap", "s-1/400", "--export", arn, "--yes")
    assert (code, len(errors.splitlines())) == (2, 1), errors
    assert told in errors


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--yes", "wanted one of them"),
        ("--gap s-1/400 --from 2026-11-01T00:00:00Z --bucket b", "found both"),
        ("--gap s-1/401 --bucket b", "no such gap; there are s-1/400"),
        ("--gap s-1/400", "--bucket: found nothing"),
        ("--from 2026-11-01 --to 2026-11-02T00:00:00Z --bucket b", "with its zone"),
        ("--from 2026-11-01T00:00:00Z --bucket b", "--to: found nothing"),
        ("--from 2026-11-02T00:00:00Z --to 2026-11-01T00:00:00Z --bucket b", "a time after"),
        ("--from 2026-11-02T00:00:00Z --to 2099-11-01T00:00:00Z --bucket b", "in the past"),
        ("--gap s-1/400 --export arn:aws:dynamodb:eu-central-1:1:table/x/export/1", "Export"),
        ("--gap s-1/400 --bucket b --route none", "--route: found 'none'"),
    ],
)
def test_what_cannot_be_is_one_line(still: RepairDesk, words: str, told: str) -> None:
    code, _, errors = still.repair(*words.split())
    assert (code, len(errors.splitlines())) == (2, 1), errors
    assert told in errors


def test_an_export_of_another_time_is_refused(desk: RepairDesk) -> None:
    desk.lose(desk.gap)
    desk.begin = desk.since + 1
    arn = desk.export([])
    code, _, errors = desk.repair("--gap", "s-1/400", "--export", arn, "--yes")
    assert (code, len(errors.splitlines())) == (2, 1)
    assert f"wanted one that holds {iso(desk.since)} to {iso(desk.until)}" in errors


@contextmanager
def killed_in_the_end(
    words: Sequence[str], environ: Mapping[str, str], output: Path
) -> Iterator[ConsumerProcess]:
    """A command that writes all to one file, and is killed when the block ends."""
    process = ConsumerProcess(words, environ, output, output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(met: Callable[[], object], process: ConsumerProcess) -> None:
    limit = time.monotonic() + PATIENCE
    while not met():
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < limit
        time.sleep(0.05)
