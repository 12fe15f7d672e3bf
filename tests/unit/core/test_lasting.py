"""What lasts: said when it begins, again every few minutes, and when it is over."""

from consumer.core.lasting import (
    FORGET_SECONDS,
    NAMED,
    REMIND_SECONDS,
    SUBJECTS,
    Lasting,
    Said,
)


def test_it_is_said_at_once_then_every_few_minutes_and_at_the_end() -> None:
    lasting: Lasting[str] = Lasting()
    times = (100.0, 102.0, 99.0 + REMIND_SECONDS, 100.0 + REMIND_SECONDS, 102.0 + REMIND_SECONDS)
    said = [lasting.met("a", at) for at in times]
    assert said == [Said(0.0, 1), None, None, Said(REMIND_SECONDS, 1), None]
    assert len(lasting) == 1
    assert lasting.over("a", 500.0) == Said(400.0, 0)
    assert lasting.over("a", 500.0) is None
    assert len(lasting) == 0
    assert lasting.met("a", 501.0) == Said(0.0, 1)


def test_each_subject_has_lines_of_its_own() -> None:
    lasting: Lasting[str] = Lasting()
    assert lasting.met("a", 0.0) == Said(0.0, 1)
    assert lasting.met("b", 1.0) == Said(0.0, 2)
    assert lasting.over("a", 2.0) == Said(2.0, 1)


def test_what_a_thousand_subjects_meet_is_ten_lines_every_five_minutes() -> None:
    lasting: Lasting[int] = Lasting()
    rounds = 5
    times = [step * 2.0 for step in range(int(rounds * REMIND_SECONDS / 2))]
    lines = [said for at in times for shard in range(1000) if (said := lasting.met(shard, at))]
    assert len(lines) == rounds * NAMED
    assert {said.count for said in lines[NAMED:]} == {1000}
    ends = [lasting.over(shard, times[-1]) for shard in range(1000)]
    assert [said.count for said in ends if said is not None] == [*range(999, 989, -1), 0]


def test_a_place_that_is_free_goes_to_the_next_that_is_met() -> None:
    lasting: Lasting[int] = Lasting()
    for subject in range(NAMED + 1):
        lasting.met(subject, 0.0)
    assert lasting.met(NAMED, 50.0) is None
    lasting.over(0, 60.0)
    assert lasting.met(NAMED, 70.0) == Said(70.0, NAMED)


def test_an_end_that_nobody_was_told_the_begin_of_is_not_said() -> None:
    lasting: Lasting[str] = Lasting()
    assert lasting.met("a", 0.0, patience=60.0) is None
    assert lasting.over("a", 30.0) is None
    assert lasting.met("a", 40.0, patience=60.0) is None
    assert lasting.met("a", 100.0, patience=60.0) == Said(60.0, 1)
    assert lasting.over("a", 101.0) == Said(61.0, 0)


def test_another_aspect_is_said_at_once() -> None:
    lasting: Lasting[str] = Lasting()
    aspects = ("404", "404", "403", "403", "404")
    said = [lasting.met("a", float(at), aspect=aspect) for at, aspect in enumerate(aspects)]
    assert said == [Said(0.0, 1), None, Said(2.0, 1), None, Said(4.0, 1)]


def test_what_is_not_met_any_more_is_forgotten() -> None:
    lasting: Lasting[str] = Lasting()
    lasting.met("gone", 0.0)
    times = [REMIND_SECONDS * step for step in range(1, 5)]
    counts = [said.count for at in times if (said := lasting.met("here", at))]
    assert counts == [2, 2, 2, 1]
    assert times[-1] > FORGET_SECONDS
    assert lasting.over("gone", times[-1]) is None
    alone: Lasting[str] = Lasting()
    alone.met("gone", 0.0)
    assert alone.met("late", 2 * FORGET_SECONDS, patience=1.0) is None
    assert alone.over("late", 2 * FORGET_SECONDS) is None


def test_no_more_subjects_are_remembered_than_fit() -> None:
    lasting: Lasting[int] = Lasting()
    for subject in range(SUBJECTS + 5):
        lasting.met(subject, 0.0)
    assert len(lasting) == SUBJECTS
    assert lasting.over(SUBJECTS, 1.0) is None
