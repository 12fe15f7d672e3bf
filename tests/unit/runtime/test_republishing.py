"""Publishing items again, on twins: what is stored, refused, halved and called off."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from consumer.core.publishing.early_end import PATIENCE_SECONDS
from consumer.core.republish.rate_limit import RateLimit
from consumer.core.republish.taking_part import taking_part
from consumer.runtime.republish.publishing import RepublishEnded, Republisher
from tests.twins.nakadi import NakadiTwin, Reply, refusal
from tests.twins.virtual_time import HalfChance, VirtualClock, run
from tests.unit.core.republish.items import STREAM_ARN, item_events, route, there

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.republish.outcome import Outcome
    from consumer.core.republish.table.read_item import ReadItem
    from consumer.core.routes.route import Route

ORDER, PAID = route("order"), route("paid", {"item": {"status": {"S": ["PAID"]}}})
ROUTES = (ORDER, PAID)


class Desk:
    def __init__(self, rate: float = 100_000) -> None:
        self.clock = VirtualClock()
        self.nakadis = {each.event_type: NakadiTwin() for each in ROUTES}
        self.limit = RateLimit(rate)
        self.seconds = 0.0

    @property
    def order(self) -> NakadiTwin:
        return self.nakadis["order"]

    @property
    def paid(self) -> NakadiTwin:
        return self.nakadis["paid"]

    def republisher(self, routes: Sequence[Route] = ROUTES) -> Republisher:
        taking = taking_part(routes, (), STREAM_ARN).taking
        events = item_events(*routes)
        return Republisher(taking, self.nakadis, events, self.limit, self.clock, HalfChance())

    def publish(self, items: Sequence[ReadItem]) -> list[Outcome]:
        async def main() -> list[Outcome]:
            try:
                return await self.republisher().publish(items)
            finally:
                self.seconds = self.clock.now()

        return run(main)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def items(count: int, status: str = "OPEN") -> list[ReadItem]:
    return [there({"id": {"S": f"k{n}"}, "status": {"S": status}}) for n in range(count)]


def stored(nakadi: NakadiTwin) -> Counter[str]:
    return Counter(json.loads(body)["data"]["id"] for body in nakadi.stored)


def refusing(*keys: str) -> Any:
    def reply(bodies: list[bytes]) -> Reply:
        for index, body in enumerate(bodies):
            if json.loads(body)["data"]["id"] in keys:
                return refusal(len(bodies), index)
        return Reply()

    return reply


def refusing_tagged(bodies: list[bytes]) -> Reply:
    for index, body in enumerate(bodies):
        if "tag" in json.loads(body)["data"]:
            return refusal(len(bodies), index)
    return Reply()


def test_each_event_is_stored_once_in_each_event_type_that_takes_the_item(desk: Desk) -> None:
    outcomes = desk.publish([*items(700), *items(3, "PAID")])
    assert stored(desk.order) == Counter(
        {f"k{n}": 1 for n in range(700)} | {f"k{n}": 2 for n in range(3)}
    )
    assert stored(desk.paid) == Counter(["k0", "k1", "k2"])
    assert [each.stored for each in outcomes] == [1] * 700 + [2] * 3
    assert max(len(each.bodies) for each in desk.order.requests) <= 500


def test_nothing_is_in_flight_when_it_returns(desk: Desk) -> None:
    desk.publish(items(700))
    assert all(each.ended is not None for each in desk.order.requests)


def test_what_no_route_takes_is_said_at_once(desk: Desk) -> None:
    async def main() -> list[Outcome]:
        return await desk.republisher([PAID]).publish(items(3))

    assert [each.taken for each in run(main)] == [False] * 3
    assert desk.paid.requests == []
    assert desk.publish([]) == []


def test_a_refused_one_is_told_with_its_reason_and_holds_up_nobody(desk: Desk) -> None:
    desk.order.script = refusing("k1", "k4")
    outcomes = desk.publish([*items(6), there({"id": {"S": "k7"}, "change": {"S": "x"}})])
    assert stored(desk.order) == Counter(["k0", "k2", "k3", "k5"])
    told = {
        bytes(each.keys): [(one.event_type, one.reason) for one in each.refusals]
        for each in outcomes
        if each.refusals
    }
    assert told == {
        b'{"id":{"S":"k1"}}': [("order", "validation")],
        b'{"id":{"S":"k4"}}': [("order", "validation")],
        b'{"id":{"S":"k7"}}': [("order", "reserved_attribute")],
    }
    assert desk.seconds < PATIENCE_SECONDS / 2


def test_a_refused_one_holds_up_no_other_of_its_key(desk: Desk) -> None:
    tags: Any = {"tag": {"S": "x"}}
    desk.order.script = refusing_tagged
    desk.publish([there({"id": {"S": "k"}, **tags}), there({"id": {"S": "k"}})])
    assert stored(desk.order) == Counter(["k"])
    assert desk.seconds < PATIENCE_SECONDS / 2


def test_the_pace_is_kept(desk: Desk) -> None:
    desk = Desk(rate=100)
    desk.publish(items(500))
    assert 4 <= desk.seconds < 6
    assert max(len(each.bodies) for each in desk.order.requests) == 100


def test_a_429_halves_the_pace(desk: Desk) -> None:
    desk = Desk(rate=100)
    desk.order.replies.append(Reply(429))
    desk.publish(items(500))
    assert stored(desk.order) == Counter({f"k{n}": 1 for n in range(500)})
    assert 8 <= desk.seconds < 20


@pytest.mark.parametrize("status", [403, 404])
def test_an_event_type_that_is_stopped_ends_the_run_with_nothing_in_flight(
    desk: Desk, status: int
) -> None:
    desk.paid.script = lambda _: Reply(status)
    with pytest.raises(RepublishEnded, match=f"paid: Nakadi answered .*{status}") as ended:
        desk.publish(items(3, "PAID"))
    assert ended.value.outcomes == []
    assert ended.value.stored == len(desk.order.stored)
    assert all(each.ended is not None for each in desk.order.requests + desk.paid.requests)
    assert len(desk.paid.requests) == 1


def test_what_is_in_flight_at_the_end_is_waited_for(desk: Desk) -> None:
    desk.order.delay = 5.0
    desk.paid.script = lambda _: Reply(403)
    with pytest.raises(RepublishEnded, match="paid: ") as ended:
        desk.publish([*items(4)[2:], *items(2, "PAID")])
    assert [each.ended is not None for each in desk.order.requests] == [True]
    assert [each.stored for each in ended.value.outcomes] == [1, 1]


def test_no_half_of_a_request_is_sent_after_the_end(desk: Desk) -> None:
    desk.order.replies.append(Reply(413, delay=1.0))

    async def main() -> None:
        republisher = desk.republisher()
        asyncio.get_running_loop().call_later(0.5, republisher.stop)
        with pytest.raises(RepublishEnded, match="called off"):
            await republisher.publish(items(4))

    run(main)
    assert len(desk.order.requests) == 1


def test_an_outage_ends_the_run_after_a_while(desk: Desk) -> None:
    desk.order.script = lambda _: Reply(503)
    with pytest.raises(RepublishEnded, match="order: no progress for 120 s, last http_503"):
        desk.publish(items(3))
    assert PATIENCE_SECONDS < desk.seconds < PATIENCE_SECONDS + 60


def test_a_short_outage_repeats_what_was_not_stored(desk: Desk) -> None:
    desk.order.replies.extend([Reply(503), Reply(0)])
    assert [each.stored for each in desk.publish(items(3))] == [1] * 3
    assert stored(desk.order) == Counter(["k0", "k1", "k2"])


def test_it_can_be_called_off_and_says_what_is_settled(desk: Desk) -> None:
    desk = Desk(rate=100)

    async def main() -> RepublishEnded:
        republisher = desk.republisher()
        asyncio.get_running_loop().call_later(2.5, republisher.stop)
        with pytest.raises(RepublishEnded, match="called off") as ended:
            await republisher.publish(items(1000))
        assert all(each.ended is not None for each in desk.order.requests)
        with pytest.raises(RepublishEnded):
            await republisher.publish(items(1))
        assert await republisher.publish([]) == []
        return ended.value

    found = run(main)
    assert len(found.outcomes) == sum(stored(desk.order).values()) == 300
