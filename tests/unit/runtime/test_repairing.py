"""Publishing keys again, on twins: a key is read twice, then published, refused or busy."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from consumer.core.republish.item_key import identity_of
from consumer.core.republish.rate_limit import RateLimit
from consumer.core.republish.table.table_description import TableDescription
from consumer.core.republish.taking_part import taking_part
from consumer.errors import Retryable
from consumer.runtime.republish import two_reads
from consumer.runtime.republish.publishing import RepublishEnded, Republisher
from consumer.runtime.republish.repairing import Repairing
from consumer.runtime.republish.table_reader import TableReader
from consumer.runtime.republish.two_reads import TwoReads
from tests.twins.nakadi import NakadiTwin, Reply, refusal
from tests.twins.table import TableTwin, wire
from tests.twins.virtual_time import EPOCH, HalfChance, VirtualClock, run
from tests.unit.core.republish.items import STREAM_ARN, TABLE_ARN, item_events, route, there

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from msgspec import Raw

    from consumer.core.reports.runs.republish_report import RepublishReport
    from consumer.core.republish.item_event import Refusal


class Desk:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        described = TableDescription("orders", TABLE_ARN, ("id",), {"id": "S"})
        self.table = TableTwin(self.clock, described)
        self.nakadi = NakadiTwin()
        self.refused: list[tuple[str, str, str]] = []
        self.seconds = 0.0

    def run(
        self,
        main: Callable[[Repairing], Coroutine[Any, Any, None]],
        second: NakadiTwin | None = None,
    ) -> RepublishReport:
        """With a `second` Nakadi there is a second route, that publishes there."""
        names = ("order",) if second is None else ("order", "other")

        async def all_of_it() -> RepublishReport:
            routes = [route(name) for name in names]
            events = item_events(*routes, names=names)
            reader = TableReader(self.table, RateLimit(10_000), self.clock, HalfChance())
            republisher = Republisher(
                taking_part(routes, names, STREAM_ARN).taking,
                {"order": self.nakadi, **({} if second is None else {"other": second})},
                events,
                RateLimit(10_000),
                self.clock,
                HalfChance(),
            )
            reads = TwoReads(reader, events, self.clock)
            repairing = Repairing(reads, republisher, self._refuse, lambda _: None)
            try:
                await main(repairing)
            finally:
                self.seconds = self.clock.now()
            return repairing.report

        return run(all_of_it)

    def publish(self, *keys: str, **more: Any) -> RepublishReport:
        return self.run(lambda each: each.publish_keys([key(name) for name in keys], **more))

    def _refuse(self, keys: Raw, why: Refusal) -> None:
        name = json.loads(bytes(keys))["id"]["S"]
        self.refused.append((name, why.event_type, why.reason))

    @property
    def stored(self) -> list[tuple[str, str]]:
        events = [json.loads(each) for each in self.nakadi.stored]
        return [(each["data"]["id"], each["data_op"]) for each in events]


def key(name: str) -> Raw:
    return wire({"id": {"S": name}})


def item(name: str, n: int = 0) -> Any:
    return {"id": {"S": name}, "n": {"N": str(n)}}


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.table.put(item("a"), item("b"))
    return made


def test_what_is_there_is_an_s_and_what_is_gone_a_d_with_the_time_of_both_reads(
    desk: Desk,
) -> None:
    report = desk.publish("a", "gone", "b")
    assert desk.stored == [("a", "S"), ("gone", "D"), ("b", "S")]
    changes = [json.loads(each)["data"]["change"] for each in desk.nakadi.stored]
    assert len({each["read_at"] for each in changes}) == 1
    assert (report.read, report.gone, report.stored, report.exit_code) == (3, 1, 3, 0)


def test_a_d_has_the_last_image_of_an_export(desk: Desk) -> None:
    desk.publish("gone", last_images={identity_of(key("gone")): wire(item("gone", 7))})
    [event] = [json.loads(each) for each in desk.nakadi.stored]
    assert (event["data_op"], event["data"]["n"]) == ("D", 7)


def test_the_last_image_of_what_is_there_is_never_published(desk: Desk) -> None:
    desk.publish("a", last_images={identity_of(key("a")): wire(item("a", 7))})
    [event] = [json.loads(each) for each in desk.nakadi.stored]
    assert (event["data_op"], event["data"]["n"]) == ("S", 0)


def test_a_busy_key_is_refused_and_the_others_go_on(desk: Desk) -> None:
    desk.table.before_get = lambda number: desk.table.put(item("b", number))
    report = desk.publish("a", "b")
    assert desk.stored == [("a", "S")]
    assert desk.refused == [("b", "", "busy")]
    assert (report.read, report.exit_code) == (2, 1)


def test_a_refused_event_is_told_once(desk: Desk) -> None:
    desk.nakadi.script = lambda bodies: refusal(len(bodies), 0)
    report = desk.publish("a")
    assert desk.refused == [("a", "order", "validation")]
    assert (report.refusals, report.exit_code) == ({"validation": 1}, 1)


def test_what_was_read_a_moment_ago_is_read_once_more(desk: Desk) -> None:
    first = [there(item("a"), read_at=EPOCH), there(item("b", 9), read_at=EPOCH)]
    desk.run(lambda each: each.publish_items(first))
    assert desk.table.gets == [2, 1]
    assert [json.loads(each)["data"]["n"] for each in desk.nakadi.stored] == [0, 0]


def test_it_can_be_called_off_while_it_reads(desk: Desk) -> None:
    async def main(repairing: Repairing) -> None:
        asyncio.get_running_loop().call_later(1.5, repairing.stop)
        with pytest.raises(RepublishEnded, match="called off"):
            await repairing.publish_keys([key("a")])
        with pytest.raises(RepublishEnded, match="called off"):
            await repairing.publish_keys([key("b")])

    desk.run(main)
    assert desk.seconds < 2
    assert desk.stored == []


def test_what_was_stored_before_the_end_is_counted(desk: Desk) -> None:
    desk.nakadi.replies.append(Reply(207, [("submitted", "publishing"), ("failed", "publishing")]))
    desk.nakadi.script = lambda _: Reply(403)

    async def main(repairing: Repairing) -> None:
        with pytest.raises(RepublishEnded, match="403"):
            await repairing.publish_keys([key("a"), key("b")])
        assert (repairing.report.read, repairing.report.stored) == (1, 1)

    desk.run(main)
    assert desk.stored == [("a", "S")]


def test_an_event_of_an_item_that_is_not_settled_counts_as_stored(desk: Desk) -> None:
    other = NakadiTwin()
    other.script = lambda _: Reply(403, delay=1.0)

    async def main(repairing: Repairing) -> None:
        with pytest.raises(RepublishEnded, match="403"):
            await repairing.publish_keys([key("a")])

    report = desk.run(main, second=other)
    assert (report.read, report.stored) == (0, 1)


def test_a_table_that_does_not_answer_ends_it(desk: Desk) -> None:
    desk.table.fails.extend([Retryable("no answer", "timeout")] * 99)
    with pytest.raises(Retryable, match="no answer"):
        desk.publish("a")
    assert desk.stored == []


def test_large_items_are_published_before_the_next_are_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two_reads, "BATCH_BYTES", 10)
    monkeypatch.setattr(two_reads, "KEYS_PER_CALL", 2)
    desk.table.put(item("c"))
    report = desk.publish("a", "b", "gone", "c")
    assert desk.table.gets == [2, 2, 2, 2]
    assert desk.stored == [("a", "S"), ("b", "S"), ("gone", "D"), ("c", "S")]
    times = [json.loads(each)["data"]["change"]["read_at"] for each in desk.nakadi.stored]
    assert times[0] == times[1] < times[2] == times[3]
    assert report.read == 4
