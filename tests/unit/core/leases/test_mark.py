"""What a mark leaves to be made, and what two meetings with one gap say together."""

import pytest

from consumer.core.leases.mark import Ahead, lost_for_both

AHEAD = Ahead(100, ("audit", "payment"))


@pytest.mark.parametrize(
    ("sequence", "event_type", "left"),
    [
        (99, "order", False),
        (100, "order", False),
        (101, "order", True),
        (1, "payment", True),
        (100, "audit", True),
        (101, "audit", True),
    ],
)
def test_up_to_the_mark_only_those_behind_lack_anything(
    sequence: int, event_type: str, left: bool
) -> None:
    assert AHEAD.leaves(sequence, event_type) is left


def test_a_gap_met_twice_is_lost_for_whoever_lacked_it_once() -> None:
    again = Ahead(80, ("order", "payment"))
    assert lost_for_both(AHEAD, again) == Ahead(80, ("audit", "order", "payment"))
    assert lost_for_both(again, AHEAD) == Ahead(80, ("audit", "order", "payment"))


def test_what_was_lost_for_every_type_once_stays_so() -> None:
    assert lost_for_both(None, AHEAD) is None
    assert lost_for_both(AHEAD, None) is None


def test_of_event_types_that_the_writer_did_not_know_nothing_is_said() -> None:
    known = Ahead(100, ("audit",), ("audit", "order"))
    assert [known.leaves(50, name) for name in ("audit", "order", "payment")] == [True, False, True]
    assert [known.leaves(101, name) for name in ("audit", "order", "payment")] == [True] * 3
    assert known == Ahead(100, ("audit",))  # one is as true as the other
