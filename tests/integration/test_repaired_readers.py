"""What readers have after a repair: those who missed changes, and those who began later."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.integration.consumer_process import ConsumerProcess
from tests.integration.exported import change
from tests.integration.repair_desk import RepairDesk
from tests.integration.republished import item, key
from tests.patience import PATIENCE
from tests.reference.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from localdev.aws.process import AwsProcess
    from localdev.nakadi.process import NakadiProcess

Json = Any

ITEMS = 400
LOST = 20
"""A twentieth of the items changes while a reader gets nothing."""


@pytest.fixture
def desk(
    ministack: AwsProcess, nakadi_server: NakadiProcess, tmp_path: Path
) -> Iterator[RepairDesk]:
    made = RepairDesk(ministack, nakadi_server, tmp_path)
    yield made
    made.exported.close()
    made.dynamodb.close()


@pytest.fixture
def service(desk: RepairDesk) -> Iterator[ConsumerProcess]:
    log = desk.folder / "service.log"
    process = ConsumerProcess(["run"], {**desk.environ, "CONSUMER_HTTP_PORT": "0"}, log, log)
    yield process
    process.terminate()
    process.wait()


def test_a_reader_by_rule_6_has_what_the_table_has_and_a_later_one_is_not_harmed(
    desk: RepairDesk, service: ConsumerProcess
) -> None:
    first = {number: item(f"o-{number}", 1, n={"N": str(number)}) for number in range(ITEMS)}
    desk.put(*first.values())
    until(lambda: len(desk.stored(desk.all)) == ITEMS, service)
    since = int(time.time())
    lines = lose(desk, first)
    until(lambda: "o-lost" in keys_of(desk.stored(desk.all)), service)
    missed, until_then = len(desk.stored(desk.all)), time.time()
    afterwards(desk)
    until(lambda: "o-end" in keys_of(desk.stored(desk.all)), service)

    before, late = Reader(("pk", "sk"), repaired=True), Reader(("pk", "sk"), repaired=True)
    by_place = Reader(("pk", "sk"))
    log = desk.stored(desk.all)
    take(log[:ITEMS], before, by_place)
    take(log[missed:], before, by_place, late)
    assert before.items != table_of(desk)

    desk.since, desk.until = float(since), until_then
    desk.begin, desk.end = since - 2, int(until_then) + 301
    desk.lose(replace(desk.gap, from_time=desk.since, to_time=desk.until))
    arn = desk.export(lines[:7], lines[7:])
    words = ("--gap", "s-1/400", "--export", arn, "--yes")
    code, out, errors = desk.repair(*words)
    assert code == 0, errors
    assert f"{len(lines)} keys read" in out
    take(desk.stored(desk.all)[len(log) :], before, by_place, late)
    table = table_of(desk)
    assert before.items == table
    assert by_place.items != table, "by places alone it would have kept what was deleted"
    assert late.items.items() <= table.items()

    state, told = dict(before.items), len(desk.stored(desk.all))
    code, _, errors = desk.repair(*words, "--again")
    assert code == 0, errors
    again = desk.stored(desk.all)[told:]
    assert {eid_of(each) for each in again} == {
        eid_of(each) for each in desk.stored(desk.all)[len(log) : told]
    }
    take(again, before)
    assert before.items == state, "nothing new"


def lose(desk: RepairDesk, first: dict[int, Json]) -> list[Json]:
    """Change items; the lines of an export of that time."""
    lines = []
    for number in range(LOST):
        new = None if number % 3 == 0 else item(f"o-{number}", 1, n={"N": str(1000 + number)})
        if new is None:
            desk.delete(key(f"o-{number}", 1))
        else:
            desk.put(new)
        lines.append(change(key(f"o-{number}", 1), time.time(), old=first[number], new=new))
    desk.put(item("o-brief", 1))
    desk.delete(key("o-brief", 1))  # made and deleted in the window: never in an export
    made = item("o-lost", 1, n={"N": "7"})
    desk.put(made)
    return [*lines, change(key("o-lost", 1), time.time(), new=made)]


def afterwards(desk: RepairDesk) -> None:
    """Of what was lost some changes again, and some is deleted: readers get that."""
    for number in range(0, LOST, 4):
        desk.put(item(f"o-{number}", 1, n={"N": str(2000 + number)}))
    for number in range(1, LOST, 4):
        desk.delete(key(f"o-{number}", 1))
    desk.put(item(f"o-{ITEMS - 1}", 1, n={"N": "3000"}), item("o-end", 1))


def take(events: Sequence[Json], *readers: Reader) -> None:
    for event in events:
        for reader in readers:
            reader.take(event, time.time())


def keys_of(events: Sequence[Json]) -> set[str]:
    return {event["data"]["pk"] for event in events}


def eid_of(event: Json) -> str:
    return str(event["metadata"]["eid"])


def table_of(desk: RepairDesk) -> dict[tuple[str, int], Json]:
    """What the table holds, as events show it."""
    found: dict[tuple[str, int], Json] = {}
    for page in desk.dynamodb.get_paginator("scan").paginate(TableName=desk.table):
        for each in page["Items"]:
            plain: Json = {
                name: value["S"] if "S" in value else int(value["N"])
                for name, value in each.items()
            }
            found[plain["pk"], plain["sk"]] = plain
    return found


def until(met: Callable[[], object], service: ConsumerProcess) -> None:
    limit = time.monotonic() + PATIENCE
    while not met():
        assert service.poll() is None, "it has ended"
        assert time.monotonic() < limit
        time.sleep(0.1)
