"""`consumer snapshot` on a table of the embedded AWS and the local Nakadi."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from localdev.aws.process import AwsProcess
from localdev.nakadi.process import NakadiProcess
from tests.integration.consumer_process import run_consumer
from tests.integration.republished import Desk, item

ALONE = ("--without-service", "--yes")


@pytest.fixture
def desk(ministack: AwsProcess, nakadi_server: NakadiProcess, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(ministack, nakadi_server, tmp_path)
    made.environ["CONSUMER_LEASE_TABLE"] = f"{made.table}-leases"
    made.create_lease_table()
    yield made
    nakadi_server.remove_faults()
    made.dynamodb.close()


def snapshot(desk: Desk, *words: str, **environ: str) -> tuple[int, str, str]:
    done = run_consumer(["snapshot", *words], {**desk.environ, **environ})
    return done.returncode, done.stdout, done.stderr


def names(desk: Desk, event_type: str) -> list[str]:
    return sorted(each["data"]["pk"] for each in desk.stored(event_type))


def test_the_whole_table_is_published_as_each_route_shows_it(desk: Desk) -> None:
    desk.put(*(item(f"o-{n:02}", 1, "ORDER" if n % 2 else "LOCK") for n in range(30)))
    code, out, errors = snapshot(desk, "--id", "first", *ALONE)
    assert (code, errors) == (0, "")
    assert names(desk, desk.all) == [f"o-{n:02}" for n in range(30)]
    assert names(desk, desk.order) == [f"o-{n:02}" for n in range(1, 30, 2)]
    for event in desk.stored(desk.all):
        assert event["data_op"] == "S"
        assert event["data"]["change"].keys() == {"sequence", "stream", "snapshot"}
        assert event["data"]["change"]["snapshot"] == "first"
    assert re.search(r"^snapshot first: began 20\S+Z, ended 20\S+Z$", out, re.MULTILINE)
    assert "30 items read; 45 events stored, 0 refused\n" in out


def test_an_id_that_has_ended_is_not_published_twice_unless_it_is_wanted_again(desk: Desk) -> None:
    desk.put(*(item(f"o-{n}", 1) for n in range(5)))
    first = snapshot(desk, "--id", "first", *ALONE)
    again = snapshot(desk, "--id", "first", *ALONE)
    assert first[0] == again[0] == 0
    assert first[1].splitlines()[-2:] == again[1].splitlines()[-2:]
    assert len(desk.stored(desk.all)) == 5
    code, _, _ = snapshot(desk, "--id", "first", "--again", *ALONE)
    assert code == 0
    eids = [each["metadata"]["eid"] for each in desk.stored(desk.all)]
    assert len(eids) == 10
    assert sorted(eids[:5]) == sorted(eids[5:])  # the items have not changed
    code, _, _ = snapshot(desk, "--id", "second", *ALONE)
    assert code == 0
    assert len({each["metadata"]["eid"] for each in desk.stored(desk.all)}) == 10


def test_a_filter_and_a_route_narrow_it(desk: Desk) -> None:
    desk.put(*(item(f"o-{n}", 1, "ORDER" if n % 2 else "LOCK") for n in range(6)))
    pattern = json.dumps({"item": {"pk": {"S": [{"anything-but": ["o-1"]}]}}})
    code, out, _ = snapshot(desk, "--filter", pattern, "--route", "orders", *ALONE)
    assert code == 0
    assert names(desk, desk.order) == ["o-3", "o-5"]
    assert desk.stored(desk.all) == []
    assert "taken by no route, or left out by --filter: 4 items\n" in out


def test_a_repair_reads_twice_and_says_when(desk: Desk) -> None:
    desk.put(*(item(f"o-{n}", 1) for n in range(5)))
    code, _, _ = snapshot(desk, "--repair", "--segments", "2", *ALONE)
    assert code == 0
    assert names(desk, desk.all) == [f"o-{n}" for n in range(5)]
    assert all("read_at" in each["data"]["change"] for each in desk.stored(desk.all))


def test_what_is_refused_goes_to_a_file_and_the_exit_code_says_so(desk: Desk) -> None:
    desk.put(item("o-1", 1), item("o-2", 1, amount={"S": "none"}))
    refused = desk.folder / "refused"
    code, out, _ = snapshot(desk, "--refused", str(refused), *ALONE)
    assert code == 1
    told = [json.loads(line) for line in refused.read_text().splitlines()]
    assert sorted((each["key"]["pk"]["S"], each["reason"]) for each in told) == [
        ("o-2", "validation"),
        ("o-2", "validation"),
    ]
    assert "2 items read; 2 events stored, 2 refused\n" in out


def test_a_dry_run_says_what_it_takes_and_counts_if_it_is_asked_to(desk: Desk) -> None:
    desk.put(*(item(f"o-{n}", 1, "ORDER" if n % 2 else "LOCK") for n in range(6)))
    code, out, errors = snapshot(desk, "--dry-run")
    assert (code, errors) == (0, "")
    assert "counted by DynamoDB up to six hours ago" in out
    assert "read units, $0.00 on demand" in out
    assert out.endswith("dry run: nothing was published\n")
    code, out, _ = snapshot(desk, "--dry-run", "--count")
    assert code == 0
    told = f"6 items\n{desk.all}: 6 events\n{desk.order}: 3 events\n"
    assert out.endswith(f"{told}dry run: nothing was published\n")
    assert desk.stored(desk.all) == []


def test_other_terms_for_the_same_id_are_named_on_both_sides(desk: Desk) -> None:
    desk.put(item("o-1", 1))
    code, _, _ = snapshot(desk, "--id", "first", "--segments", "4", *ALONE)
    assert code == 0
    code, _, errors = snapshot(desk, "--id", "first", "--segments", "8", *ALONE)
    assert (code, errors.count("\n")) == (2, 1)
    assert "--id first: it was begun on other terms (segments: 4 there, 8 here)" in errors
    code, _, errors = snapshot(desk, "--id", "first", "--repair", *ALONE)
    assert (code, "items read: once there, twice here" in errors) == (2, True)
    code, _, errors = snapshot(desk, "--id", "first", "--route", "all", *ALONE)
    assert (code, f"routes: {desk.order}, {desk.all} there, {desk.all} here" in errors) == (2, True)
    changed = json.loads(desk.routes()["CONSUMER_ROUTES"])
    changed[0]["filter"] = {"item": {"kind": {"S": ["LOCK"]}}}
    code, _, errors = snapshot(desk, "--id", "first", *ALONE, CONSUMER_ROUTES=json.dumps(changed))
    assert (code, "definitions of the routes: " in errors) == (2, True)
    assert len(desk.stored(desk.all)) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--yes",), "the application has not begun with the table's latest stream"),
        (("--without-service",), "--yes: found neither it nor a terminal"),
        (
            ("--filter", '{"dynamodb": {"OldImage": {"a": {"S": ["b"]}}}}'),
            "--filter: its filter asks for dynamodb.OldImage.a.S, and an item is matched as its",
        ),
        (("--route", "x"), "--route: found 'x', wanted one of orders, all"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    desk: Desk, words: tuple[str, ...], told: str
) -> None:
    code, _, errors = snapshot(desk, *words)
    assert (code, errors.count("\n")) == (2, 1), errors
    assert told in errors
    assert desk.stored(desk.all) == []


def test_a_lease_table_that_is_not_there_is_named(desk: Desk) -> None:
    code, _, errors = snapshot(desk, *ALONE, CONSUMER_LEASE_TABLE="absent")
    assert (code, errors.count("\n")) == (2, 1)
    assert "CONSUMER_LEASE_TABLE: no table 'absent'" in errors


def test_publishing_that_is_forbidden_ends_it_and_the_same_id_goes_on(desk: Desk) -> None:
    desk.put(*(item(f"o-{n}", 1) for n in range(5)))
    desk.nakadi.add_fault(kind="status", status=403, event_type=desk.order, count=1)
    words = ("--id", "first", *ALONE)
    code, _, errors = snapshot(desk, *words)
    assert code == 1
    told = (
        rf"snapshot first has not ended: {desk.order}: Nakadi answered .*403.*; --id first goes on"
    )
    assert re.search(told, errors), errors
    code, _, _ = snapshot(desk, *words)
    assert code == 0
    assert set(names(desk, desk.order)) == {f"o-{n}" for n in range(5)}


def test_an_event_type_that_is_not_there_is_named(desk: Desk) -> None:
    gone = {"event_type": f"{desk.table}.gone", "name": "gone"}
    code, _, errors = snapshot(desk, *ALONE, **desk.routes(gone))
    assert (code, errors.count("\n")) == (2, 1), errors
    assert f"{desk.table}.gone" in errors
