"""Where events go: computed, found out, or learnt."""

from __future__ import annotations

import orjson
import pytest

from consumer.core.backlog.queued_event import QueuedEvent
from consumer.core.event.event import Event
from consumer.core.publishing.partition import HashRule
from consumer.core.publishing.placement import LEARNT_BYTES, LEARNT_MAX, Partitioning, Placement

EIGHT = tuple(str(number) for number in range(8))
RULE = HashRule.of(["id"], EIGHT)
OTHER = HashRule.of(["id"], EIGHT[:5])


def event(key: str, *, in_data: bool = True) -> QueuedEvent[object]:
    item = {"id": key}
    content = Event(1, key, "eid", orjson.dumps({"data": item} if in_data else item), 0.0)
    return QueuedEvent(None, content, "order", key, 0.0)


def placed(rule: HashRule, count: int) -> list[tuple[QueuedEvent[object], str]]:
    events = [event(f"o-{number}") for number in range(count)]
    return [(each, rule.partition(each.body or b"") or "") for each in events]


def right(placement: Placement, rule: HashRule) -> bool:
    fresh = [event(f"new-{number}") for number in range(50)]
    return all(placement.of(each) == rule.partition(each.body or b"") for each in fresh)


def test_a_definition_tells_where_events_go() -> None:
    assert right(Placement(Partitioning(("id",), EIGHT)), RULE)


def test_the_fields_of_a_business_event_are_its_own_members() -> None:
    rule = HashRule.of(("id",), EIGHT, in_data=False)
    events = [event(f"o-{number}", in_data=False) for number in range(100)]
    named = [(each, rule.partition(each.body or b"") or "") for each in events]
    for names in (EIGHT, ()):
        placement = Placement(Partitioning(("id",), names, in_data=False))
        placement.observe(named)
        assert all(placement.of(each) == name for each, name in named)


def test_nothing_is_known_without_fields_or_names() -> None:
    for known in (Partitioning(), Partitioning(("id",)), Partitioning((), EIGHT)):
        assert Placement(known).of(event("o-1")) is None


def test_an_answer_that_agrees_changes_nothing() -> None:
    placement = Placement(Partitioning(("id",), EIGHT))
    placement.observe(placed(RULE, 3))
    assert right(placement, RULE)


def test_a_rule_is_found_in_an_answer() -> None:
    placement = Placement(Partitioning(("id",)))
    placement.observe(placed(RULE, 100))
    assert right(placement, RULE)


def test_a_contradiction_ends_a_rule_or_finds_another() -> None:
    placement = Placement(Partitioning(("id",), EIGHT))
    placement.observe(placed(OTHER, 100))
    assert right(placement, OTHER)
    placement.observe(placed(RULE, 5))
    assert placement.of(event("o-1")) is None


def test_keys_are_learnt_where_nothing_can_be_computed_and_forgotten() -> None:
    placement = Placement(Partitioning())
    first, second = event("o-1"), event("o-2")
    placement.learn([(first, "3"), (second, "4")])
    assert (placement.of(first), placement.of(event("o-2"))) == ("3", "4")
    placement.forget("3")
    assert (placement.of(first), placement.of(second)) == (None, "4")


def test_nothing_is_learnt_beside_a_rule() -> None:
    placement = Placement(Partitioning(("id",), EIGHT))
    placement.learn([(event("o-1"), "no such")])
    placement.observe(placed(OTHER, 5))
    assert placement.of(event("o-1")) is None


@pytest.mark.parametrize("event_types", [1, 5])
def test_what_is_learnt_is_bounded_in_bytes(event_types: int) -> None:
    """Of all event types together."""
    placement = Placement(Partitioning(), event_types)
    size = LEARNT_BYTES // event_types // 4
    events = [event(letter * size) for letter in "abcd"]
    placement.learn([(each, "3") for each in (*events, events[0])])
    assert [placement.of(each) for each in events] == ["3", "3", "3", None]
    placement.learn([(events[0], "4"), (event("short"), "3")])
    assert [placement.of(events[0]), placement.of(event("short"))] == ["4", "3"]
    placement.forget("4")
    placement.learn([(events[3], "5")])
    assert [placement.of(each) for each in events] == [None, "3", "3", "5"]


def test_what_is_learnt_is_bounded() -> None:
    placement = Placement(Partitioning())
    same = event("o")
    placement._learnt = {str(number): "1" for number in range(LEARNT_MAX - 1)}
    placement.learn([(same, "3"), (event("p"), "3")])
    assert (placement.of(same), placement.of(event("p"))) == ("3", None)
    assert len(placement._learnt) == LEARNT_MAX
