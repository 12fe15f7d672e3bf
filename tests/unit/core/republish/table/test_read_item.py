"""What was read of a key."""

from consumer.core.republish.table.read_item import Busy, ReadItem
from tests.unit.core.republish.items import there, wire


def test_what_was_read_once_says_so() -> None:
    item = there({"id": {"S": "o-1"}})
    assert (item.twice, item.last_image) == (False, None)
    assert item == ReadItem(wire({"id": {"S": "o-1"}}), wire({"id": {"S": "o-1"}}), item.read_at)


def test_a_busy_key_counts_its_reads() -> None:
    assert Busy(wire({}), 5).reads == 5
