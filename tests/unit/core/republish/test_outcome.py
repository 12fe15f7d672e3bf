"""What became of an item."""

from consumer.core.republish.item_event import Refusal
from consumer.core.republish.outcome import Outcome
from tests.unit.core.republish.items import wire


def test_what_no_route_takes_has_neither_events_nor_refusals() -> None:
    keys = wire({"id": {"S": "1"}})
    assert not Outcome(keys, 0).taken
    assert Outcome(keys, 1).taken
    assert Outcome(keys, 0, (Refusal("a", "validation"),)).taken
