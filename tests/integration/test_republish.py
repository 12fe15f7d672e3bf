"""`consumer republish` on a table of the embedded AWS and the local Nakadi."""

import json
import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from localdev.aws.process import AwsProcess
from localdev.nakadi.process import NakadiProcess
from tests.integration.consumer_process import ConsumerProcess
from tests.integration.republished import Desk, item, key
from tests.patience import PATIENCE
from tests.reference.reader import Reader

PARTITION = '{"pk": {"S": "o-1"}}'


@pytest.fixture
def desk(ministack: AwsProcess, nakadi_server: NakadiProcess, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(ministack, nakadi_server, tmp_path)
    yield made
    nakadi_server.remove_faults()
    made.dynamodb.close()


def test_what_the_table_holds_is_published_as_each_route_shows_it(desk: Desk) -> None:
    desk.put(item("o-1", 1, n={"N": "12.50"}), item("o-1", 2, "LOCK"), item("o-2", 1))
    began = time.time()
    code, out, errors = desk.republish(
        "--key", json.dumps(key("o-1", 1)), "--key", json.dumps(key("o-1", 2)), "--yes"
    )
    assert (code, errors) == (0, "")
    [order] = desk.stored(desk.order)
    change = order["data"].pop("change")
    assert order["data"] == {"pk": "o-1", "line": 1, "kind": "ORDER", "n": 12.5}
    assert (order["data_op"], change["sequence"]) == ("S", "0" * 40)
    description = desk.dynamodb.describe_table(TableName=desk.table)["Table"]
    assert change["stream"] == description["LatestStreamLabel"]
    assert f"run {change['snapshot']}\n" in out
    assert order["metadata"]["occurred_at"] == change["read_at"]
    read_at = datetime.fromisoformat(change["read_at"]).timestamp()
    assert began + 2 <= read_at <= time.time() - 1.9
    rest = desk.stored(desk.all)
    assert sorted((each["data"]["pk"], each["data"]["sk"]) for each in rest) == [
        ("o-1", 1),
        ("o-1", 2),
    ]
    assert all(each["data"]["card"] == "4711-0815" for each in rest)
    assert len({each["metadata"]["eid"] for each in (order, *rest)}) == 3
    assert "2 keys read, 0 of them absent; 3 events stored\n" in out


def test_a_partition_key_stands_for_all_its_items(desk: Desk) -> None:
    desk.put(*(item("o-1", number) for number in range(30)), item("o-2", 1))
    code, out, _ = desk.republish("--key", '{"pk": {"S": "o-1"}}', "--route", "orders", "--yes")
    assert code == 0
    lines = [each["data"]["line"] for each in desk.stored(desk.order)]
    assert sorted(lines) == [*range(30)]
    assert desk.stored(desk.all) == []
    assert "route all: takes no part, not named with --route\n" in out


def test_a_filter_finds_its_items_in_the_whole_table(desk: Desk) -> None:
    wanted = {"item": {"n": {"N": [{"prefix": "1"}]}}}
    desk.put(*(item("o-1", number, n={"N": str(number)}) for number in range(40)))
    code, out, _ = desk.republish("--filter", json.dumps(wanted), "--yes", "--max-rate", "20")
    assert code == 0
    lines = [each["data"]["line"] for each in desk.stored(desk.order)]
    assert sorted(lines) == [1, *range(10, 20)]
    assert "11 keys read" in out
    code, out, _ = desk.republish("--filter", json.dumps(wanted), "--dry-run")
    assert f"{desk.order}: 11 S\n" in out


def test_what_is_gone_goes_to_routes_that_are_named_only(desk: Desk) -> None:
    gone = json.dumps(key("o-9", 1))
    code, out, _ = desk.republish("--key", gone, "--yes")
    assert code == 0
    assert "absent, and sent to nobody: 1 " in out
    assert desk.stored(desk.order) == desk.stored(desk.all) == []
    code, _, _ = desk.republish("--key", gone, "--route", "orders", "--yes")
    assert code == 0
    [event] = desk.stored(desk.order)
    assert event["data_op"] == "D"
    assert [*event["data"]] == ["pk", "line", "change"]


def test_a_reader_that_missed_changes_and_follows_rule_6_ends_with_the_table(desk: Desk) -> None:
    """One that follows rules 1 to 5 only has a later place, and stays as it was."""
    desk.put(item("o-1", 1, n={"N": "2"}), item("o-2", 1, n={"N": "5"}))
    label = desk.dynamodb.describe_table(TableName=desk.table)["Table"]["LatestStreamLabel"]
    repaired = Reader(["pk", "line"], repaired=True)
    plain = Reader(["pk", "line"])
    for pk, number in (("o-1", 1), ("o-2", 5), ("o-3", 7)):
        change = {"sequence": f"{number:040}", "stream": label}
        data = {"pk": pk, "line": 1, "kind": "ORDER", "n": number, "change": change}
        made = {"data_op": "U", "metadata": {"occurred_at": "2026-11-01T09:30:00Z"}, "data": data}
        repaired.take(made, 0.0)
        plain.take(made, 0.0)
    keys = desk.file(json.dumps(key(f"o-{number}", 1)) for number in (1, 2, 3))
    code, _, _ = desk.republish("--keys-from", keys, "--route", "orders", "--yes")
    assert code == 0
    for event in desk.stored(desk.order):
        repaired.take(event, 0.0)
        plain.take(event, 0.0)
    assert {found: held["n"] for found, held in repaired.items.items()} == {
        ("o-1", 1): 2,
        ("o-2", 1): 5,
    }
    assert [held["n"] for held in plain.items.values()] == [1, 5, 7]


def test_a_signal_ends_it_soon_and_in_order(desk: Desk) -> None:
    desk.put(*(item("o-1", number) for number in range(30)))
    keys = desk.file(json.dumps(key("o-1", number)) for number in range(30))
    out, errors = desk.folder / "out", desk.folder / "errors"
    words = ["republish", "--keys-from", keys, "--max-rate", "1", "--yes"]
    process = ConsumerProcess(words, desk.environ, out, errors)
    try:
        deadline = time.monotonic() + PATIENCE
        while not desk.stored(desk.all) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.terminate()
        assert process.wait() == 1
    finally:
        process.kill()
    assert "ended early: it was called off\n" in out.read_text()
    stored = len(desk.stored(desk.all)) + len(desk.stored(desk.order))
    assert 0 < stored < 60
    assert f"; {stored} events stored\n" in out.read_text()


def test_what_is_refused_goes_to_a_file_that_can_be_given_again(desk: Desk) -> None:
    bad = item("o-2", 1, amount={"S": "none"})
    desk.put(item("o-1", 1), bad, item("o-3", 1), item("o-4", 1, change={"S": "x"}))
    keys = desk.file(json.dumps(key(f"o-{number}", 1)) for number in range(1, 5))
    refused = desk.folder / "refused"
    code, out, errors = desk.republish("--keys-from", keys, "--refused", str(refused), "--yes")
    assert code == 1
    assert all(line.startswith("republish: ") for line in errors.splitlines())
    assert sorted(each["data"]["pk"] for each in desk.stored(desk.order)) == ["o-1", "o-3"]
    told = [json.loads(line) for line in refused.read_text().splitlines()]
    assert sorted(
        (each["key"]["pk"]["S"], each["event_type"], each["reason"]) for each in told
    ) == [
        ("o-2", desk.all, "validation"),
        ("o-2", desk.order, "validation"),
        ("o-4", desk.all, "reserved_attribute"),
        ("o-4", desk.order, "reserved_attribute"),
    ]
    assert "refused, validation: 2\n" in out
    desk.put(item("o-2", 1), item("o-4", 1))
    code, _, _ = desk.republish("--keys-from", str(refused), "--yes")
    assert code == 0
    assert sorted(each["data"]["pk"] for each in desk.stored(desk.all)) == [
        "o-1",
        "o-2",
        "o-3",
        "o-4",
    ]


def test_without_a_file_what_is_refused_is_told(desk: Desk) -> None:
    desk.put(item("o-1", 1, amount={"S": "none"}))
    code, _, errors = desk.republish("--key", json.dumps(key("o-1", 1)), "--yes")
    assert code == 1
    told = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    assert [each["reason"] for each in told] == ["validation"] * 2


def test_a_dry_run_counts_and_publishes_nothing(desk: Desk) -> None:
    desk.put(item("o-1", 1), item("o-2", 1, "LOCK"))
    code, out, errors = desk.republish(
        "--key", '{"pk": {"S": "o-1"}}', "--key", json.dumps(key("o-2", 1)), "--dry-run"
    )
    assert (code, errors) == (0, "")
    assert out.endswith(f"{desk.all}: 2 S\n{desk.order}: 1 S\ndry run: nothing was published\n")
    assert desk.stored(desk.all) == []


def test_without_a_terminal_somebody_has_to_say_yes(desk: Desk) -> None:
    desk.put(item("o-1", 1))
    code, _, errors = desk.republish("--key", json.dumps(key("o-1", 1)))
    assert (code, errors.count("\n")) == (2, 1)
    assert "--yes: found neither it nor a terminal" in errors
    assert desk.stored(desk.all) == []


def test_it_says_whom_it_reaches(desk: Desk) -> None:
    outbox = {
        "event_type": f"{desk.table}.out",
        "name": "out",
        "category": "business",
        "filter": {"item": {"kind": {"S": ["EVENT"]}}},
    }
    expired = {
        "event_type": f"{desk.table}.expired",
        "name": "expired",
        "filter": {"userIdentity": {"type": ["Service"]}},
    }
    stock = desk.nakadi.subscribe("stock", desk.order, "cache")
    code, out, _ = desk.republish("--key", PARTITION, "--dry-run", **desk.routes(outbox, expired))
    assert code == 0
    assert f"route orders: publishes to {desk.order}\n" in out
    assert "route out: takes no part, its events are business events: " in out
    assert "route expired: takes no part, its filter asks for userIdentity.type, " in out
    assert f"{desk.order}: read by stock, group cache, subscription {stock}\n" in out
    assert f"{desk.all}: no subscription reads it\n" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--key, --keys-from or --filter: found none of them"),
        (
            ("--key", '{"id": {"S": "1"}}'),
            "--key: 'id' is no attribute of the table's key (pk, sk)",
        ),
        (("--key", "o-1"), "--key: it is no JSON object"),
        (("--keys-from", "/nowhere/keys"), "--keys-from: found '/nowhere/keys' (No such file"),
        (
            ("--key", '{"pk": {"S": "1"}}', "--route", "x"),
            "--route: found 'x', wanted one of orders",
        ),
        (
            ("--key", '{"pk": {"S": "1"}}', "--max-rate", "0"),
            "--max-rate: found '0', wanted a number",
        ),
        (
            ("--key", PARTITION, "--yes", "--refused", "/nowhere/refused"),
            "--refused: found '/nowhere/refused' (No such file",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    desk: Desk, words: tuple[str, ...], told: str
) -> None:
    code, _, errors = desk.republish(*words)
    assert (code, errors.count("\n")) == (2, 1)
    assert told in errors


def test_a_broken_file_names_its_line(desk: Desk) -> None:
    keys = desk.file([json.dumps(key("o-1", 1)), "", '{"pk": {"S": "o-2"'])
    code, _, errors = desk.republish("--keys-from", keys, "--yes")
    assert (code, errors.count("\n")) == (2, 1)
    assert "--keys-from: line 3: it is no JSON object" in errors
    assert desk.stored(desk.all) == []


def test_a_table_that_is_not_there_is_named(desk: Desk) -> None:
    code, _, errors = desk.republish("--key", '{"pk": {"S": "1"}}', CONSUMER_TABLE="absent")
    assert (code, errors.count("\n")) == (2, 1)
    assert "CONSUMER_TABLE: no table 'absent'" in errors


def test_an_event_type_that_is_not_there_is_named_before_anything_is_published(desk: Desk) -> None:
    desk.put(item("o-1", 1))
    gone = {"event_type": f"{desk.table}.gone", "name": "gone"}
    key_of_it = json.dumps(key("o-1", 1))
    code, _, errors = desk.republish("--key", key_of_it, "--yes", **desk.routes(gone))
    assert (code, errors.count("\n")) == (2, 1)
    assert f"{desk.table}.gone" in errors
    assert desk.stored(desk.all) == []


def test_a_schema_without_room_is_named_with_what_to_add(desk: Desk) -> None:
    code, _, errors = desk.republish(
        "--key", PARTITION, "--yes", **desk.routes(desk.closed_route())
    )
    assert (code, errors.count("\n")) == (2, 1)
    assert 'add to its properties: "snapshot": {"type": "string"}, "read_at": {' in errors


def test_publishing_that_is_forbidden_ends_the_run(desk: Desk) -> None:
    desk.put(item("o-1", 1))
    desk.nakadi.add_fault(kind="status", status=403, event_type=desk.order, count=1)
    code, out, _ = desk.republish("--key", json.dumps(key("o-1", 1)), "--yes")
    assert code == 1
    assert re.search(rf"^ended early: {desk.order}: Nakadi answered .*403", out, re.MULTILINE)
