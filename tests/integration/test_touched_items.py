"""`consumer republish --touch` on DynamoDB Local and the local Nakadi, beside the service."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from consumer.core.event.event import TOUCH_ATTRIBUTE
from localdev.aws.process import AwsProcess
from localdev.nakadi.process import NakadiProcess
from tests.integration.aws_front import AwsFront, serving
from tests.integration.consumer_process import ConsumerProcess, run_consumer
from tests.integration.republished import Json, item, key
from tests.integration.snapshot_load import Writer, of_all, of_orders, table_of
from tests.integration.snapshot_service import SnapshotService

ITEMS = 200
CHANGES_A_SECOND = 40.0
ORDERS = json.dumps({"item": {"kind": {"S": ["ORDER"]}}})


@pytest.fixture
def service(
    dynamodb_local_server: AwsProcess, nakadi_server: NakadiProcess, tmp_path: Path
) -> Iterator[SnapshotService]:
    made = SnapshotService(dynamodb_local_server, nakadi_server, tmp_path)
    yield made
    made.close()


def touch(service: SnapshotService, *words: str, **environ: str) -> tuple[int, str, str]:
    return service.republish("--touch", *words, **environ)


def touched_by(service: SnapshotService, *words: str) -> int:
    """How many items a run says it has touched."""
    code, out, errors = touch(service, *words, "--yes")
    assert code == 0, errors
    return int(out.splitlines()[-1].split()[0])


def without_it(items: list[Json]) -> list[Json]:
    return [
        {name: value for name, value in each.items() if name != TOUCH_ATTRIBUTE} for each in items
    ]


def last_by_arrival(events: list[Json], *keys: str) -> dict[Any, Json]:
    """What a sink has that knows no places: the last event of each key."""
    found: dict[Any, Json] = {}
    for event in events:
        data = dict(event["data"])
        del data["change"]
        data.pop("patch", None)
        if event["data_op"] == "D":
            found.pop(tuple(data[name] for name in keys), None)
        else:
            found[tuple(data[name] for name in keys)] = data
    return found


def places(events: list[Json], *keys: str) -> dict[Any, list[tuple[str, str]]]:
    """The places of each key's events, in the order of storing."""
    found = defaultdict(list)
    for event in events:
        change = event["data"]["change"]
        place = change["stream"], change["sequence"]
        found[tuple(event["data"][name] for name in keys)].append(place)
    return found


def test_items_are_touched_under_load_in_exact_order_and_it_is_never_seen(
    service: SnapshotService,
) -> None:
    writer = Writer(service, ITEMS, CHANGES_A_SECOND)
    writer.fill()
    service.start("run")
    service.until(lambda: len(service.stored(service.all)) >= ITEMS, "the service has caught up")
    service.put(item("o-1", 9_999))
    with writer:
        one = touched_by(service, "--key", json.dumps(key("o-1", 9_999)))
        many = touched_by(service, "--filter", ORDERS, "--wcu", "500")
    assert one == 1
    assert many > ITEMS // 3
    items = table_of(service)
    assert any(TOUCH_ATTRIBUTE in each for each in items)

    def arrived() -> bool:
        stored = last_by_arrival(service.stored(service.all), "pk", "sk")
        return bool(stored == of_all(without_it(items)))

    service.until(arrived, "all changes are published")
    everything, view = service.stored(service.all), service.stored(service.order)
    service.until(
        lambda: (
            last_by_arrival(service.stored(service.order), "pk", "line")
            == of_orders(without_it(items))
        ),
        "the view has all of them, too",
    )
    for events, names in ((everything, ("pk", "sk")), (view, ("pk", "line"))):
        for of_key in places(events, *names).values():
            assert all(before < after for before, after in pairwise(of_key))
    marked = [each for each in everything if each["data"]["change"].get("touched")]
    assert len(marked) == one + many
    assert {(each["data_op"], len(each["data"]["patch"])) for each in marked} == {("U", 0)}
    for event_type in (service.all, service.order):
        for entry in service.nakadi.log(event_type):
            assert TOUCH_ATTRIBUTE not in str(entry)
            assert "touch-2" not in str(entry)  # the run's id, which is the value


def test_a_key_without_an_item_is_not_made(service: SnapshotService) -> None:
    service.put(item("o-1", 1))
    service.start("run")
    words = [f"--key={json.dumps(key('o-1', number))}" for number in (1, 2)]
    code, out, errors = touch(service, *words, "--dry-run")
    assert (code, errors) == (0, "")
    assert "1 items, 1 keys without one; about 1 write units" in out
    code, out, _ = touch(service, *words, "--yes")
    assert code == 0
    assert out.endswith("1 items touched, 1 keys without an item\n")
    assert [each["sk"]["N"] for each in table_of(service)] == ["1"]


def test_an_item_near_400_kb_is_refused(service: SnapshotService) -> None:
    service.start("run")
    service.put(item("o-1", 1, text={"S": "x" * (400 * 1024 - 60)}), item("o-1", 2))
    refused = service.folder / "refused"
    partitions = ("--key", '{"pk": {"S": "o-0"}}', "--key", '{"pk": {"S": "o-1"}}')
    words = (*partitions, "--refused", str(refused), "--yes")
    code, out, _ = touch(service, *words)
    assert code == 1
    assert "1 items touched, 0 keys without an item\nrefused, too_large: 1\n" in out
    [line] = map(json.loads, refused.read_text().splitlines())
    assert (line["key"], line["reason"]) == (key("o-1", 1), "too_large")


@contextmanager
def older_worker(service: SnapshotService, **more: Json) -> Iterator[None]:
    """A worker as a version before writes its row, whose heart beats."""
    stop = threading.Event()

    def beat() -> None:
        heartbeat = 0
        while not stop.is_set():
            heartbeat += 1
            row: Json = {
                "application": {"S": service.table},
                "key": {"S": "worker/older"},
                "heartbeat": {"N": str(heartbeat)},
                "changes": {"N": "0"},
                "streams": {"L": []},
                "able": {"BOOL": True},
                "draining": {"BOOL": False},
                "seenAt": {"N": str(time.time())},
                "startedAt": {"N": str(time.time())},
                "version": {"S": "0.1.0"},
                "leaseDuration": {"N": "4"},
                "heartbeatInterval": {"N": "0.5"},
                **more,
            }
            service.dynamodb.put_item(TableName=service.environ["CONSUMER_LEASE_TABLE"], Item=row)
            stop.wait(0.5)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_while_a_worker_lives_that_does_not_leave_it_out_nothing_is_touched(
    service: SnapshotService,
) -> None:
    service.put(item("o-1", 1))
    one = ("--key", json.dumps(key("o-1", 1)))
    code, _, errors = touch(service, *one, "--yes")
    assert (code, errors.count("\n")) == (2, 1)
    assert "no worker is alive" in errors
    service.start("run")
    for more, told in (
        ({}, "worker older (version 0.1.0) leaves out no attribute, and not 'consumer:touch'"),
        ({"touchAttribute": {"S": "x"}}, "leaves out 'x', and not 'consumer:touch'"),
    ):
        with older_worker(service, **more):
            code, _, errors = touch(service, *one, "--yes")
        assert (code, errors.count("\n")) == (2, 1)
        assert told in errors
    code, _, errors = touch(service, *one, "--yes", CONSUMER_TOUCH_ATTRIBUTE="other")
    assert (code, "leaves out 'consumer:touch', and not 'other'" in errors) == (2, True)
    assert all(TOUCH_ATTRIBUTE not in each for each in table_of(service))
    assert touched_by(service, *one) == 1  # the row is there still, its worker proven dead


def test_a_worker_that_comes_meanwhile_ends_the_run(service: SnapshotService) -> None:
    service.put(*(item("o-1", number) for number in range(200)))
    service.start("run")
    began = service.start(
        "republish", "--touch", "--key", '{"pk": {"S": "o-1"}}', "--wcu", "10", "--yes"
    )
    service.until(
        lambda: any(TOUCH_ATTRIBUTE in each for each in table_of(service)), "some are touched"
    )
    with older_worker(service):
        assert began.wait() == 1
    told = next(service.folder.glob("republish-*.log")).read_text()
    assert "ended early: worker older (version 0.1.0) leaves out no attribute" in told


def test_a_table_with_replicas_is_refused(service: SnapshotService) -> None:
    service.put(item("o-1", 1))
    service.start("run")
    more: Json = {}

    class Front(AwsFront):
        def answer(self, call: str, body: bytes) -> None:
            status, said = self.forward(service.environ["AWS_ENDPOINT_URL"], body)
            if call == "DescribeTable":
                answer = json.loads(said)
                answer["Table"] |= {"Replicas": [{"RegionName": "eu-west-1"}], **more}
                said = json.dumps(answer).encode()
            self.say(status, said)

    one = ("--key", json.dumps(key("o-1", 1)), "--yes")
    with serving(Front) as url:
        code, _, errors = touch(service, *one, AWS_ENDPOINT_URL=url)
        assert (code, errors.count("\n")) == (2, 1)
        assert f"--touch: table {service.table} has replicas (eu-west-1)" in errors
        assert touch(service, *one, "--only-writer-region", AWS_ENDPOINT_URL=url)[0] == 0
        more["MultiRegionConsistency"] = "STRONG"
        assert touch(service, *one, AWS_ENDPOINT_URL=url)[0] == 0


def test_it_needs_no_more_than_the_rights_that_are_printed(service: SnapshotService) -> None:
    service.put(*(item("o-1", number) for number in range(3)))
    service.start("run")
    done = run_consumer(["iam-policy", "--for", "touch", "--keys", "pk,sk"], service.environ)
    statements = json.loads(done.stdout)["Statement"]
    allowed: dict[str, set[str]] = defaultdict(set)
    for each in statements:
        allowed[each["Resource"].rpartition("/")[2]].update(each["Action"])
    named = {each["Sid"]: each for each in statements}["TouchItems"]["Condition"]
    asked: list[tuple[str, Json]] = []

    class Front(AwsFront):
        def answer(self, call: str, body: bytes) -> None:
            asked.append((call, json.loads(body)))
            self.say(*self.forward(service.environ["AWS_ENDPOINT_URL"], body))

    words = (
        *("--key", json.dumps(key("o-1", 1)), "--key", '{"pk": {"S": "o-1"}}'),
        *("--filter", ORDERS, "--yes"),
    )
    with serving(Front) as url:
        for more in ((), ("--dry-run",)):
            code, _, errors = touch(service, *words, *more, AWS_ENDPOINT_URL=url)
            assert code == 0, errors
    used: dict[str, set[str]] = defaultdict(set)
    for call, body in asked:
        for table in [body["TableName"]] if "TableName" in body else [*body["RequestItems"]]:
            used[table].add(f"dynamodb:{call}")
    assert used == allowed
    touches = [body for call, body in asked if call == "UpdateItem"]
    assert len(touches) == 1 + 3 + 3  # the same value again makes no second record
    for body in touches:
        names = {*body["Key"], *body["ExpressionAttributeNames"].values()}
        assert names == {*named["ForAllValues:StringEquals"]["dynamodb:Attributes"]}
        assert "ReturnValues" not in body
    service.until(
        lambda: (
            sum("touched" in each["data"]["change"] for each in service.stored(service.all)) > 2
        ),
        "all touches are published",
    )
    assert len(service.stored(service.all)) == 3 + 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--key, --keys-from or --filter: found none of them"),
        (("--key", "{}", "--route", "orders"), "--route: found it beside --touch"),
        (("--key", "{}", "--max-rate", "5"), "--max-rate: found it beside --touch"),
        (("--key", "{}", "--wcu", "0"), "--wcu: found '0', wanted a number above 0"),
        (("--key", '{"id": {"S": "1"}}'), "--key: 'id' is no attribute of the table's key"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    service: SnapshotService, words: tuple[str, ...], told: str
) -> None:
    code, _, errors = touch(service, *words)
    assert (code, errors.count("\n")) == (2, 1)
    assert told in errors


def test_a_key_attribute_cannot_be_touched(service: SnapshotService) -> None:
    done = run_consumer(["run"], service.environ | {"CONSUMER_TOUCH_ATTRIBUTE": "pk"})
    assert (done.returncode, done.stderr.count("CONSUMER_TOUCH_ATTRIBUTE: found 'pk'")) == (2, 1)


def test_a_schema_without_room_is_named_with_what_to_add(service: SnapshotService) -> None:
    one = ("--key", json.dumps(key("o-1", 1)))
    code, _, errors = touch(service, *one, **service.routes(service.closed_route()))
    assert (code, errors.count("\n")) == (2, 1)
    assert 'add to its properties: "touched": {"type": "boolean"}' in errors


@pytest.mark.parametrize("words", [(), ("--touch",)])
def test_it_can_be_called_off_while_no_item_is_found(
    service: SnapshotService, words: tuple[str, ...]
) -> None:
    """A filter that takes nothing is asked of the whole table, which takes its time."""
    service.put(*(item("o-1", number, text={"S": "x" * 3_000}) for number in range(300)))
    service.start("run")
    scans: list[str] = []

    class Front(AwsFront):
        def answer(self, call: str, body: bytes) -> None:
            scans.extend([call] if call == "Scan" else [])
            self.say(*self.forward(service.environ["AWS_ENDPOINT_URL"], body))

    nothing = json.dumps({"item": {"kind": {"S": ["NONE"]}}})
    with serving(Front) as url:
        log = service.folder / "called-off.log"
        asked = ("republish", *words, "--filter", nothing, "--rcu", "2", "--yes")
        began = ConsumerProcess(asked, service.environ | {"AWS_ENDPOINT_URL": url}, log, log)
        service.processes.append(began)
        service.until(lambda: len(scans) > 1, "the table is read")
        began.terminate()
        assert began.wait(10) == 1
    assert "ended early: it was called off\n" in log.read_text()
