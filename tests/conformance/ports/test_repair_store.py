"""The rows of repairs, on real DynamoDB APIs."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
from msgspec.structs import replace

from consumer.adapters.aws.aws import Aws
from consumer.adapters.exports.repair_rows import RepairRows
from consumer.adapters.lease_table.lease_requests import LeaseRequests
from consumer.core.repair.export import Destination, ExportTask
from consumer.core.repair.repair_run import RepairCounts, RepairRun
from consumer.core.repair.window import Window
from consumer.errors import Misconfigured
from tests.conformance.ports.lease_stores import on_server

WINDOW = Window(4102444800, 4102448400)  # in 2100: DynamoDB Local removes rows that have expired
TASK = ExportTask(WINDOW, Destination("b", "1", "p", "k"), "token", 4102449000.25)
RUN = RepairRun("orders", WINDOW.begin, WINDOW.end, ("a", "b"), 4102449000.5)
_applications = count()


@pytest.fixture(params=["ministack", "dynamodb_local_server"])
async def requests(
    request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[LeaseRequests]:
    server = request.getfixturevalue(request.param)
    async with on_server(server.environment(), use_aws), Aws() as aws:
        application = f"repairs-{next(_applications)}"
        dynamodb = await aws.dynamodb(2)
        yield LeaseRequests(dynamodb, "conformance-leases", application, 60.0, None)


@pytest.fixture
def store(requests: LeaseRequests) -> RepairRows:
    return RepairRows(requests)


async def test_an_export_is_written_once(store: RepairRows) -> None:
    assert await store.read_export("orders", WINDOW) is None
    assert await store.put_export("orders", None, TASK) == TASK
    late = ExportTask(WINDOW, Destination("c"), "late", 4102449001.0)
    assert await store.put_export("orders", None, late) == TASK
    assert await store.read_export("orders", WINDOW) == TASK
    assert await store.read_export("order", WINDOW) is None
    assert await store.read_export("orders", replace(WINDOW, end=WINDOW.end + 1)) is None


async def test_its_arn_is_written_if_the_request_is_still_the_same(store: RepairRows) -> None:
    await store.put_export("orders", None, TASK)
    known = replace(TASK, arn="arn")
    assert await store.put_export("orders", TASK, known) == known
    assert await store.put_export("orders", TASK, known) == known  # again, after a lost answer
    anew = ExportTask(WINDOW, Destination("c"), "second", 4102449001.0)
    assert await store.put_export("orders", known, anew) == anew
    assert await store.read_export("orders", WINDOW) == anew, "all of it is replaced"
    assert await store.put_export("orders", known, replace(known, arn="late")) == anew


async def test_how_far_a_repair_has_come(store: RepairRows) -> None:
    assert await store.read_run("orders", RUN.begin, RUN.end) is None
    await store.write_run(RUN)
    assert await store.read_run("orders", RUN.begin, RUN.end) == RUN
    further = replace(RUN, settled='{"pk":{"S":"ä"}}', counts=RepairCounts(9, 1, 2, 3))
    await store.write_run(further)
    assert await store.read_run("orders", RUN.begin, RUN.end) == further
    done = replace(further, settled=None, done_at=4102449002.5)
    await store.write_run(done)
    assert await store.read_run("orders", RUN.begin, RUN.end) == done


async def test_a_damaged_row_is_named(store: RepairRows, requests: LeaseRequests) -> None:
    key = f"export/orders/{WINDOW.begin}-{WINDOW.end}"
    await requests.put(key, {"token": "t", "askedAt": "soon", "bucket": "b"})
    with pytest.raises(Misconfigured, match=f"row {key}: askedAt cannot be read"):
        await store.read_export("orders", WINDOW)
