"""Which event types a mark leaves out: the choice after which the fewest events come again."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.backlog.ahead import Oldest, fewest_repeats


def chosen(*places: int, end: int, others: int = 0) -> int:
    oldest = [Oldest(place, f"type-{number}") for number, place in enumerate(places)]
    return fewest_repeats(oldest, end, len(places) + others)


def repeats(places: list[int], end: int, others: int, count: int) -> int:
    """Of each type all is settled up to its oldest unsettled event: what of that comes again."""
    every = places + [end] * others
    mark = every[count] if count < len(every) else end
    return sum(place - (places[0] if of < count else mark) for of, place in enumerate(every))


def test_one_that_is_down_beside_others_is_left_out() -> None:
    assert chosen(0, 900, end=1000, others=3) == 1
    assert chosen(0, end=1000, others=1) == 1


def test_what_went_down_a_moment_ago_is_not_sent_back_by_hours() -> None:
    assert chosen(0, 990, end=1000, others=1) == 1


def test_two_that_are_down_for_long_are_both_left_out() -> None:
    assert chosen(0, 10, end=1000, others=2) == 2


def test_a_single_event_type_has_no_mark() -> None:
    assert chosen(0, end=1000) == 0


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=6),
    st.integers(0, 20),
    st.integers(0, 3),
)
def test_no_other_choice_repeats_less(places: list[int], more: int, others: int) -> None:
    places.sort()
    end = places[-1] + more
    count = chosen(*places, end=end, others=others)
    types = len(places) + others
    assert 0 <= count <= min(len(places), max(0, types - 1))
    every = [repeats(places, end, others, each) for each in range(min(len(places) + 1, types))]
    every[0] = sum(place - places[0] for place in places + [end] * others)
    assert every[count] == min(every)
