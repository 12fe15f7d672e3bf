"""ByteBudget: who may read next. Then any history against the rules."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumer.core.backlog.budget import MIB, RESERVATION, ByteBudget

R = RESERVATION


def budget(reservations: float, *members: str) -> ByteBudget:
    """A limit of so many reservations, and members that hold nothing."""
    made = ByteBudget(int(reservations * R))
    for member in members:
        made.join(member)
    return made


def fill(made: ByteBudget, member: str, reservations: float) -> None:
    """The member holds so much more, as it grew while it was allowed to."""
    made.adjust(member, int(reservations * R))


def test_a_reservation_is_a_page_and_its_events() -> None:
    assert R == 3 * MIB


def test_a_reservation_is_held_until_it_is_given_back() -> None:
    made = budget(4, "a")
    assert made.ask("a")
    assert (made.used, made.held("a")) == (R, R)
    made.adjust("a", -R)
    assert (made.used, made.held("a")) == (0, 0)


def test_the_difference_is_settled_afterwards() -> None:
    made = budget(4, "a")
    made.ask("a")
    made.adjust("a", 5)
    made.adjust("a", -R)
    assert (made.used, made.held("a")) == (5, 5)


def test_giving_back_too_much_raises_and_changes_nothing() -> None:
    made = budget(4, "a")
    made.adjust("a", 10)
    with pytest.raises(ValueError, match="a gives back 1 bytes that it does not hold"):
        made.adjust("a", -11)
    assert (made.used, made.held("a")) == (10, 10)


def test_the_share_is_the_limit_by_members_but_never_less_than_a_page() -> None:
    made = budget(8)
    assert made.share == 8 * R
    made.join("a")
    made.join("a")
    assert made.share == 8 * R
    made.join("b")
    assert made.share == 4 * R
    for number in range(20):
        made.join(f"m{number}")
    assert made.share == R
    for number in range(20):
        made.leave(f"m{number}")
    assert made.share == 4 * R


def test_up_to_the_limit_and_not_beyond() -> None:
    made = budget(2.9, "a", "b", "c")
    assert [made.ask(member) for member in "abc"] == [True, True, False]
    assert made.waiting
    assert made.grants() == []
    made.adjust("a", -R)
    assert made.grants() == ["c"]
    assert not made.waiting


def test_to_the_byte() -> None:
    made = budget(2, "a", "b")
    made.adjust("a", 1)
    assert made.ask("b")
    assert not made.ask("b")
    made.adjust("b", -R)
    made.adjust("a", R - 1)
    assert made.grants() == ["b"]
    assert made.used == 2 * R


def test_first_come_first_served() -> None:
    made = budget(1, "a", "b", "c")
    assert made.ask("a")
    assert not made.ask("c")
    assert not made.ask("b")
    made.adjust("a", -R)
    assert not made.ask("a")  # the line comes first
    assert made.grants() == ["c"]
    made.adjust("c", -R)
    assert made.grants() == ["b"]
    made.adjust("b", -R)
    assert made.grants() == ["a"]


def test_one_grant_for_each_that_fits() -> None:
    made = budget(3, "a", "b", "c", "x", "y", "z")
    for member in "xyz":
        made.ask(member)
    assert [made.ask(member) for member in "abc"] == [False] * 3
    made.adjust("x", -R)
    made.adjust("y", -R)
    assert made.grants() == ["a", "b"]
    assert made.used == made.limit


def test_who_has_withdrawn_or_left_is_not_served() -> None:
    made = budget(1, "a", "b", "c", "d")
    made.ask("a")
    for member in "bcd":
        made.ask(member)
    made.withdraw("b")
    made.withdraw("b")
    made.leave("c")
    made.adjust("a", -R)
    assert made.grants() == ["d"]


def test_what_a_shard_that_left_still_holds_counts() -> None:
    made = budget(1, "a", "b")
    made.ask("a")
    made.leave("a")
    assert made.used == R
    assert not made.ask("b")
    made.adjust("a", -R)
    assert made.grants() == ["b"]


def test_a_member_stops_at_its_share() -> None:
    made = budget(4, "a", "b")
    assert made.ask("a")
    assert made.ask("a")
    assert not made.ask("a")
    assert not made.ask_ahead("a")
    assert made.grants() == []
    made.adjust("a", -1)
    assert made.grants() == ["a"]


def test_a_pending_event_does_not_stop_its_shard_however_many_members_there_are() -> None:
    made = budget(4, *"abcdefgh")
    made.adjust("a", 1000)
    assert made.share == R
    assert made.ask("a")


def test_who_is_over_its_share_is_passed_over() -> None:
    made = budget(4, "a", "b")
    fill(made, "a", 2)
    assert not made.ask("a")
    assert not made.waiting  # for its own bytes only
    assert made.ask("b")  # at once: nobody calls the line when nothing moves
    assert made.ask_ahead("b")


def test_in_line_too_it_is_passed_over() -> None:
    made = budget(4, "a", "b")
    fill(made, "a", 3)
    fill(made, "b", 1)
    assert not made.ask("a")
    assert not made.ask("b")
    made.adjust("b", -R)
    assert made.grants() == ["b"]
    made.adjust("a", -2 * R)
    assert made.grants() == ["a"]


def test_read_ahead_only_while_nobody_waits() -> None:
    made = budget(2, "a", "b", "c")
    assert made.ask_ahead("a")
    assert made.ask("b")
    assert not made.ask("c")
    made.adjust("a", -R)  # there is room, and "c" is next
    assert not made.ask_ahead("a")
    assert made.grants() == ["c"]
    made.adjust("b", -R)
    assert made.ask_ahead("a")


def test_read_ahead_never_stands_in_line() -> None:
    made = budget(1, "a", "b")
    made.ask("b")
    assert not made.ask_ahead("a")
    made.adjust("b", -R)
    assert made.grants() == []


def test_a_shard_with_nothing_may_have_one_while_another_sits_on_more_than_its_share() -> None:
    made = budget(4, "a")
    fill(made, "a", 4)
    made.join("b")
    assert made.ask("b")
    assert made.used == 5 * R
    assert not made.ask("b")  # one


def test_no_exception_when_all_are_within_their_share() -> None:
    made = budget(2, "a", "b", "c")
    assert made.ask("a")
    assert made.ask("b")
    assert not made.ask("c")


def test_one_glutton_does_not_lift_the_limit_for_everybody() -> None:
    made = budget(4, "a")
    fill(made, "a", 4)
    others = [f"m{number}" for number in range(100)]
    for member in others:
        made.join(member)
    granted = [member for member in others if made.ask(member)]
    assert len(granted) == 3  # as if "a" held its share: the limit of four
    assert made.grants() == []
    made.adjust(granted[0], -R)
    assert made.grants() == [others[3]]


def test_the_exception_does_not_wait_behind_one_that_does_not_fit() -> None:
    made = budget(9, "a", "b", "c")
    fill(made, "a", 8)
    fill(made, "b", 0.5)
    fill(made, "gone", 3)
    fill(made, "gone too", 3)
    assert not made.ask("b")  # within its share of three, but there is no room
    assert not made.ask("c")
    made.adjust("gone", -3 * R)
    assert made.grants() == ["c"]
    assert made.waiting
    made.adjust("c", -R)
    assert made.ask("c")


class Histories(RuleBasedStateMachine):
    """Readers that reserve, deliver pages no larger than a reservation, and have them settled."""

    def __init__(self) -> None:
        super().__init__()
        self.reserved: dict[str, int] = {}
        self.events: dict[str, int] = {}
        self.line: list[str] = []
        self.members: set[str] = set()

    @initialize(reservations=st.floats(1, 12))
    def configure(self, reservations: float) -> None:
        self.budget = budget(reservations)

    def total(self, member: str) -> int:
        return self.reserved.get(member, 0) * R + self.events.get(member, 0)

    def share(self) -> int:
        return max(R, self.budget.limit // max(1, len(self.members)))

    def over(self, member: str) -> bool:
        return self.total(member) >= self.share()

    def eligible(self, member: str) -> bool:
        """Would it be served, were it the first in line?"""
        held = {each: self.total(each) for each in {*self.reserved, *self.events}}
        room = sum(held.values()) + R <= self.budget.limit
        at_share = sum(min(each, self.share()) for each in held.values())
        exception = not self.total(member) and at_share + R <= self.budget.limit
        return not self.over(member) and (room or exception)

    def grant(self, member: str) -> None:
        assert self.eligible(member)
        self.reserved[member] = self.reserved.get(member, 0) + 1

    def serve(self) -> None:
        """Always after something was given back, as the backlog does."""
        granted = self.budget.grants()
        assert granted == sorted(granted, key=self.line.index)  # first come, first served
        for member in granted:
            self.line.remove(member)
            self.grant(member)
        assert not any(self.eligible(member) for member in self.line)  # nobody starves

    @rule(member=st.sampled_from("abcdef"))
    def join(self, member: str) -> None:
        self.budget.join(member)
        self.members.add(member)

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        member = data.draw(st.sampled_from(sorted(self.members)))
        self.budget.leave(member)
        self.members.discard(member)
        if member in self.line:
            self.line.remove(member)
        self.budget.adjust(member, -self.reserved.pop(member, 0) * R)
        self.serve()

    @precondition(lambda self: self.members - set(self.line))
    @rule(data=st.data(), ahead=st.booleans())
    def ask(self, data: st.DataObject, ahead: bool) -> None:
        member = data.draw(st.sampled_from(sorted(self.members - set(self.line))))
        others = any(not self.over(each) for each in self.line)
        free = self.eligible(member)
        if ahead:
            if self.budget.ask_ahead(member):
                assert not others
                self.grant(member)
        elif self.budget.ask(member):
            self.grant(member)
        else:
            assert others or not free  # no needless waiting
            self.line.append(member)

    @precondition(lambda self: self.line)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        member = data.draw(st.sampled_from(self.line))
        self.budget.withdraw(member)
        self.line.remove(member)

    @precondition(lambda self: any(self.reserved.values()))
    @rule(data=st.data(), size=st.integers(0, R))
    def deliver(self, data: st.DataObject, size: int) -> None:
        member = data.draw(
            st.sampled_from(sorted(each for each in self.reserved if self.reserved[each]))
        )
        self.budget.adjust(member, size - R)
        self.reserved[member] -= 1
        self.events[member] = self.events.get(member, 0) + size
        self.serve()

    @precondition(lambda self: any(self.events.values()))
    @rule(data=st.data(), part=st.floats(0, 1))
    def settle(self, data: st.DataObject, part: float) -> None:
        member = data.draw(
            st.sampled_from(sorted(each for each in self.events if self.events[each]))
        )
        size = int(self.events[member] * part)
        self.budget.adjust(member, -size)
        self.events[member] -= size
        self.serve()

    @invariant()
    def nothing_leaks(self) -> None:
        if not hasattr(self, "budget"):
            return
        totals = {each: self.total(each) for each in "abcdef"}
        assert {each: self.budget.held(each) for each in "abcdef"} == totals
        assert self.budget.used == sum(totals.values())
        assert self.budget.share == self.share()
        assert self.budget.waiting == any(not self.over(each) for each in self.line)
        assert set(self.budget._held) == {each for each, total in totals.items() if total}

    @invariant()
    def memory_is_bounded(self) -> None:
        if hasattr(self, "budget"):
            assert self.budget.used <= 2 * self.budget.limit


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
