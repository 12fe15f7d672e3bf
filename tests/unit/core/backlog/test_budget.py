"""ByteBudget: who may read next. Then any history against the rules."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumer.core.backlog.budget import MIB, RESERVATION, ByteBudget

R = RESERVATION


def budget(reservations: float, *members: str, lent: bool = False) -> ByteBudget:
    """A common part of this number of reservations, and members that hold nothing.

    `lent`: another member has the spare page.
    """
    made = ByteBudget(int((reservations + 1) * R))
    if lent:
        fill(made, "large", reservations)
        assert made.ask("borrower")
        made.adjust("large", -int(reservations * R))
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


def test_the_common_part_then_the_spare_page_and_not_beyond() -> None:
    made = budget(2.9, "a", "b", "c", "d")
    assert [made.ask(member) for member in "abcd"] == [True, True, True, False]
    assert made.used == 3 * R < made.limit
    assert made.waiting
    assert made.grants() == []
    made.adjust("a", -R)
    assert made.grants() == ["d"]
    assert not made.waiting


def test_to_the_byte() -> None:
    made = budget(2, "a", "b", "c", lent=True)
    made.adjust("a", 1)
    assert made.ask("b")
    assert not made.ask("c")
    made.adjust("b", -R)
    made.adjust("a", R - 1)
    assert made.grants() == ["c"]
    assert made.used == made.limit


def test_first_come_first_served() -> None:
    made = budget(1, "a", "b", "c", lent=True)
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
    made = budget(3, "a", "b", "c", "x", "y", "z", lent=True)
    for member in "xyz":
        made.ask(member)
    assert [made.ask(member) for member in "abc"] == [False] * 3
    made.adjust("x", -R)
    made.adjust("y", -R)
    assert made.grants() == ["a", "b"]
    assert made.used == made.limit


def test_who_has_withdrawn_or_left_is_not_served() -> None:
    made = budget(1, "a", "b", "c", "d", lent=True)
    made.ask("a")
    for member in "bcd":
        made.ask(member)
    made.withdraw("b")
    made.withdraw("b")
    made.leave("c")
    made.adjust("a", -R)
    assert made.grants() == ["d"]


def test_what_a_shard_that_left_still_holds_counts() -> None:
    made = budget(1, "a", "b", lent=True)
    made.ask("a")
    made.leave("a")
    assert made.used == 2 * R
    assert not made.ask("b")
    made.adjust("a", -R)
    assert made.grants() == ["b"]


def test_a_member_stops_at_its_share() -> None:
    made = budget(4, "a", "b")
    assert made.ask("a")
    assert made.ask("a")
    assert not made.ask("a")
    assert not made.ask_more("a", 1)
    assert made.grants() == []
    made.adjust("a", -1)
    assert made.grants() == ["a"]


def test_a_pending_event_does_not_stop_its_shard_however_many_members_there_are() -> None:
    made = budget(4, *"abcdefgh")
    made.adjust("a", 1000)
    assert made.share == R
    assert made.ask("a")


def test_who_is_over_its_share_is_passed_over() -> None:
    made = budget(4, "a", "b", lent=True)
    fill(made, "a", 2)
    assert not made.ask("a")
    assert not made.waiting  # for its own bytes only
    assert made.ask("b")  # at once: nobody calls the line when nothing moves
    assert made.ask_more("b", R)


def test_in_line_too_it_is_passed_over() -> None:
    made = budget(4, "a", "b", lent=True)
    fill(made, "a", 3)
    fill(made, "b", 1)
    assert not made.ask("a")
    assert not made.ask("b")
    made.adjust("b", -R)
    assert made.grants() == ["b"]
    made.adjust("a", -2 * R)
    assert made.grants() == ["a"]


def test_more_only_while_nobody_waits() -> None:
    made = budget(2, "a", "b", "c", lent=True)
    assert made.ask_more("a", R)
    assert made.ask("b")
    assert not made.ask("c")
    made.adjust("a", -R)  # there is room, and "c" is next
    assert not made.ask_more("a", 1)
    assert made.grants() == ["c"]
    made.adjust("b", -R)
    assert made.ask_more("a", R)


def test_more_to_the_byte_and_never_in_line() -> None:
    made = budget(1, "a", "b", lent=True)
    assert not made.ask_more("a", R + 1)
    assert made.ask_more("a", R)
    assert not made.ask_more("b", 1)
    made.adjust("a", -R)
    assert made.grants() == []


def test_the_spare_page_is_not_for_more() -> None:
    made = budget(1, "a", "b")
    made.ask("b")
    assert not made.ask_more("a", 1)
    assert made.ask("a")
    assert made.used == made.limit


def test_a_shard_with_nothing_may_have_the_spare_page_while_another_has_all_the_rest() -> None:
    made = budget(4, "a")
    fill(made, "a", 4)
    made.join("b")
    made.join("c")
    assert made.ask("b")
    assert made.used == made.limit
    assert not made.ask("b")
    assert not made.ask("c")  # one at a time
    made.adjust("b", 1 - R)
    assert made.grants() == []  # until nothing of it is left
    made.adjust("b", -1)
    assert made.grants() == ["b"]  # it has asked before "c"


def test_the_spare_page_does_not_wait_behind_one_that_does_not_fit() -> None:
    made = budget(9, "a", "b", "c", lent=True)
    fill(made, "a", 8)
    fill(made, "b", 0.5)
    assert not made.ask("b")  # within its share of three, but there is no room
    assert not made.ask("c")
    made.adjust("borrower", -R)
    assert made.grants() == ["c"]
    assert made.waiting


def test_who_holds_something_is_not_passed_over_for_ever() -> None:
    """What others give back is kept for the first in line, whoever has the spare page."""
    made = budget(4, "a", "b", *"vwxyz")
    fill(made, "gone", 3.8)
    fill(made, "b", 0.1)
    assert not made.ask("b")
    for turn in range(10):
        member = "vwxyz"[turn % 5]
        assert made.ask(member)  # on the spare page
        made.adjust("gone", -(R // 10))
        assert made.grants() == (["b"] if turn == 9 else [])
        made.adjust(member, -R)
        assert made.grants() == []


def test_two_hundred_members_take_turns_where_the_limit_has_room_for_five() -> None:
    made = budget(4)
    members = [f"m{number}" for number in range(200)]
    for member in members:
        made.join(member)
    reading = [member for member in members if made.ask(member)]
    turns = dict.fromkeys(members, 0)
    for _ in range(4_000):
        member = reading.pop(0)
        turns[member] += 1
        made.adjust(member, 1_000)  # an event of it stays unsettled for a while
        made.adjust(member, -R)
        reading += made.grants()
        if made.ask(member):
            reading.append(member)
        made.adjust(member, -1_000)
        reading += made.grants()
        assert made.used <= made.limit
    assert set(turns.values()) == {20}


def test_one_that_needs_more_is_not_passed_over_for_ever() -> None:
    made = budget(4, *"abcd", lent=True)
    for member in "cd":
        assert made.ask(member)
    assert not made.ask("a", 3 * R)
    assert not made.ask("b")  # there is room, but it is kept for "a"
    assert not made.ask_more("d", 1)
    made.adjust("c", -R)
    assert made.grants() == ["a"]
    made.adjust("d", -R)
    assert made.grants() == ["b"]


def test_who_passes_one_that_needs_more_does_so_on_the_spare_page() -> None:
    made = budget(4, *"abcd")
    for member in "cd":
        assert made.ask(member)
    made.adjust("a", 1)
    assert not made.ask("a", 4 * R)
    assert made.ask("b")
    assert not made.ask("e")
    made.adjust("c", 1 - R)
    made.adjust("d", -R)
    made.adjust("a", -1)
    assert made.grants() == []  # a byte is missing
    made.adjust("c", -1)
    assert made.grants() == ["a"]
    made.adjust("b", -R)
    assert made.grants() == ["e"]


def test_a_page_larger_than_all_memory_is_read_and_only_one_at_a_time() -> None:
    made = budget(2, "a", "b", "c")
    assert made.ask("a", 9 * R)
    assert made.used == made.limit + 6 * R
    assert not made.ask("b", 9 * R)
    assert not made.ask("c")
    made.adjust("a", -9 * R)
    assert made.grants() == ["b"]
    made.adjust("b", -9 * R)
    assert made.grants() == ["c"]


class Histories(RuleBasedStateMachine):
    """Readers that reserve, deliver pages no larger than a reservation, and have them settled."""

    def __init__(self) -> None:
        super().__init__()
        self.reserved: dict[str, list[int]] = {}
        self.events: dict[str, int] = {}
        self.line: dict[str, int] = {}
        self.longest = R
        self.members: set[str] = set()
        self.borrower = ""

    @initialize(reservations=st.floats(0, 12))
    def configure(self, reservations: float) -> None:
        self.budget = budget(reservations)

    def total(self, member: str) -> int:
        return sum(self.reserved.get(member, ())) + self.events.get(member, 0)

    def share(self) -> int:
        return max(R, self.common() // max(1, len(self.members)))

    def over(self, member: str) -> bool:
        return self.total(member) >= self.share()

    def common(self) -> int:
        return self.budget.limit - R

    def fits(self, member: str, size: int) -> bool:
        """Is it below its share, and is there room in the common part?"""
        rest = sum(self.total(each) for each in {*self.reserved, *self.events})
        rest -= min(R, self.total(self.borrower))
        return not self.over(member) and rest + size <= self.common()

    def may_borrow(self, member: str) -> bool:
        return not self.borrower and not self.total(member)

    def grant(self, member: str, size: int, *, first: bool) -> None:
        in_turn = first and self.fits(member, size)
        assert in_turn or self.may_borrow(member)
        if not in_turn:
            self.borrower = member
        self.reserved.setdefault(member, []).append(size)

    def given_back(self) -> None:
        if not self.total(self.borrower):
            self.borrower = ""

    def serve(self) -> None:
        """Always after something was given back, as the backlog does."""
        self.given_back()
        granted = self.budget.grants()
        line = list(self.line)
        assert granted == sorted(granted, key=line.index)  # first come, first served
        for member in granted:
            ahead = line[: line.index(member)]
            first = all(self.over(each) for each in ahead if each in self.line)
            self.grant(member, self.line.pop(member), first=first)
        waiting = [each for each in self.line if not self.over(each)]
        assert not waiting or not self.fits(waiting[0], self.line[waiting[0]])  # nobody starves
        assert not any(map(self.may_borrow, self.line))

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
            del self.line[member]
        self.budget.adjust(member, -sum(self.reserved.pop(member, ())))
        self.serve()

    @precondition(lambda self: self.members - set(self.line))
    @rule(data=st.data(), ahead=st.booleans(), size=st.sampled_from([R, R, 2 * R, 7 * R]))
    def ask(self, data: st.DataObject, ahead: bool, size: int) -> None:
        member = data.draw(st.sampled_from(sorted(self.members - set(self.line))))
        self.longest = max(self.longest, size)
        first = all(self.over(each) for each in self.line)
        free = first and self.fits(member, size)
        if ahead:
            assert self.budget.ask_more(member, size) == free
            if free:
                self.reserved.setdefault(member, []).append(size)
        elif self.budget.ask(member, size):
            self.grant(member, size, first=first)
        else:
            assert not free  # no needless waiting
            assert not self.may_borrow(member)
            self.line[member] = size

    @precondition(lambda self: self.line)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        member = data.draw(st.sampled_from(list(self.line)))
        self.budget.withdraw(member)
        del self.line[member]
        self.serve()

    @precondition(lambda self: any(self.reserved.values()))
    @rule(data=st.data(), part=st.floats(0, 1))
    def deliver(self, data: st.DataObject, part: float) -> None:
        member = data.draw(
            st.sampled_from(sorted(each for each in self.reserved if self.reserved[each]))
        )
        reserved = self.reserved[member].pop(0)
        size = int(reserved * part)
        self.budget.adjust(member, size - reserved)
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
            assert self.budget.used <= self.budget.limit + self.longest - R


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
