"""Reaction: the whole table of reactions, row by row."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consumer.core.backlog.queued_event import UNTRIED, Tries
from consumer.core.publishing import reaction as module
from consumer.core.publishing.answer import (
    Answer,
    BatchItemResponse,
    PublishingStatus,
    no_answer,
    parse_answer,
)
from consumer.core.publishing.attribution import attributed
from consumer.core.publishing.placement import Partitioning, Placement
from consumer.core.publishing.reaction import (
    FAILURE_DELAY,
    FAILURE_DELAY_MAX,
    FAILURE_DELAY_MIN,
    REFUSAL_DELAYS,
    Acked,
    Circumstances,
    FailsAlone,
    Outage,
    Reaction,
    Refused,
    Retry,
    Split,
    Stopped,
    Unauthorised,
    Verdicts,
    react,
)
from consumer.core.publishing.signs_of_life import SignsOfLife
from tests.unit.core.events import Queued, event

ABORTED = PublishingStatus.ABORTED
FAILED = PublishingStatus.FAILED
SUBMITTED = PublishingStatus.SUBMITTED

AT_ONCE = Retry(0.0)
NOW = 1_000.0


def item(
    status: PublishingStatus,
    step: str = "publishing",
    detail: str = "",
    partition: str | None = "0",
) -> BatchItemResponse:
    return BatchItemResponse(status, step, detail, partition)


def answer(
    status: int, *items: BatchItemResponse, retry_after: float | None = None, detail: str = ""
) -> Answer:
    return Answer(status, items or None, retry_after, "flow", f"http_{status}", detail)


def foreign(status: int, detail: str = "") -> Answer:
    """An answer of something in between."""
    return Answer(status, None, None, None, f"foreign_{status}", detail, by_nakadi=False)


def sent(count: int) -> list[Queued]:
    """Events of one request, sent for the first time."""
    events = [event(number, f"k{number}") for number in range(1, count + 1)]
    for each in events:
        each.attempts = 1
    return events


def decide(
    given: Answer,
    events: list[Queued],
    *,
    max_attempts: int = 100,
    chance: float = 0.999,
    now: float = NOW,
    signs: SignsOfLife | None = None,
) -> Reaction:
    """Decide, and count the tries as a sender does."""
    seen = signs or SignsOfLife(Placement(Partitioning()))
    decided = react(given, events, Circumstances(max_attempts, now, chance, seen))
    if isinstance(decided, Verdicts):
        for each, verdict in zip(events, decided.verdicts, strict=True):
            if not isinstance(verdict, Acked):
                each.tries = verdict.tries
    return decided


def circumstances(max_attempts: int = 100, chance: float = 0.999) -> Circumstances:
    return Circumstances(max_attempts, NOW, chance, SignsOfLife(Placement(Partitioning())))


def verdicts(decided: Reaction) -> tuple[object, ...]:
    assert isinstance(decided, Verdicts)
    return decided.verdicts


def test_200_acks_all() -> None:
    assert decide(answer(200), sent(3)) == Verdicts((Acked(),) * 3)


# 207


def test_207_is_settled_by_index() -> None:
    first, *others = verdicts(
        decide(answer(207, item(FAILED), item(SUBMITTED), item(SUBMITTED)), sent(3))
    )
    assert isinstance(first, Retry)
    assert others == [Acked(), Acked()]


def test_207_resends_whatever_is_not_submitted_and_its_key_waits() -> None:
    events = sent(3)
    items = (item(ABORTED), item(FAILED), item(SUBMITTED))
    aborted, failed, stored = verdicts(decide(answer(207, *items), events))
    for verdict in (aborted, failed):
        assert isinstance(verdict, Retry)
        assert FAILURE_DELAY_MIN <= verdict.delay <= FAILURE_DELAY
    assert stored == Acked()
    assert [each.tries.failed for each in events] == [0, 1, 0]
    assert [each.tries.refused for each in events] == [0, 0, 0]


def test_207_wholly_aborted_waits_too() -> None:
    decided = verdicts(decide(answer(207, item(ABORTED), item(ABORTED)), sent(2)))
    assert all(isinstance(verdict, Retry) and verdict.delay > 0 for verdict in decided)


def test_207_waits_double_with_every_attempt_up_to_a_limit() -> None:
    (failing,) = sent(1)
    waits = []
    for attempt in range(1, 12):
        failing.attempts = attempt
        (verdict,) = verdicts(decide(answer(207, item(FAILED)), [failing], chance=0.5))
        assert isinstance(verdict, Retry)
        waits.append(verdict.delay)
    assert waits[:7] == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0]
    assert set(waits[6:]) == {FAILURE_DELAY_MAX / 2}


def test_207_never_comes_back_at_once() -> None:
    decided = decide(answer(207, item(FAILED)), sent(1), chance=0.0)
    assert decided == Verdicts((Retry(FAILURE_DELAY_MIN, Tries(failed_at=NOW)),))


def test_207_counts_a_failure_only_where_others_of_its_partition_were_stored() -> None:
    events = sent(4)
    items = (
        item(FAILED, partition="down"),
        item(FAILED, partition="up"),
        item(SUBMITTED, partition="up"),
        item(FAILED, partition="down"),
    )
    decide(answer(207, *items), events)
    assert [each.tries.failed for each in events] == [0, 1, 0, 0]


def test_207_without_the_name_of_a_partition_counts_nothing() -> None:
    events = sent(2)
    decide(answer(207, item(FAILED, partition=None), item(SUBMITTED, partition=None)), events)
    assert events[0].tries.failed == 0


def test_207_an_outage_of_a_partition_is_never_poison() -> None:
    (failing,) = sent(1)
    for _ in range(1_000):
        failing.attempts += 1
        (verdict,) = verdicts(decide(answer(207, item(FAILED)), [failing], max_attempts=2))
        assert isinstance(verdict, Retry)
    assert failing.tries.failed == 0


def test_207_the_last_attempt_is_a_dead_letter() -> None:
    failing, fine = sent(2)
    items = (item(FAILED, detail="too bad"), item(SUBMITTED))
    (first, _) = verdicts(decide(answer(207, *items), [failing, fine], max_attempts=2))
    assert isinstance(first, Retry)
    (second, _) = verdicts(decide(answer(207, *items), [failing, fine], max_attempts=2))
    assert second == Refused("attempts_exhausted", "too bad", Tries(0, 2, NOW))
    assert fine.tries.failed == 0


def signs_of(partition: str, sent_at: float) -> SignsOfLife:
    """This partition stored something of a request that was sent at `sent_at`."""
    signs = SignsOfLife(Placement(Partitioning(("id",), ("0", "1"))))
    signs.stored_in(partition, sent_at)
    return signs


def test_207_counts_a_failure_if_its_partition_has_stored_something_since_the_one_before() -> None:
    (failing,) = sent(1)
    decide(answer(207, item(FAILED)), [failing], now=10.0, signs=signs_of("0", 5.0))
    assert failing.tries == Tries(0, 0, 10.0)  # it has not failed before
    decide(answer(207, item(FAILED)), [failing], now=20.0, signs=signs_of("0", 9.9))
    assert failing.tries == Tries(0, 0, 20.0)
    decide(answer(207, item(FAILED)), [failing], now=30.0, signs=signs_of("1", 25.0))
    assert failing.tries == Tries(0, 0, 30.0)
    decide(answer(207, item(FAILED)), [failing], now=40.0, signs=signs_of("0", 30.0))
    assert failing.tries == Tries(0, 1, 40.0)
    nameless = item(FAILED, partition=None)
    decide(answer(207, nameless), [failing], now=50.0, signs=signs_of("0", 45.0))
    assert failing.tries == Tries(0, 1, 50.0)


def test_207_an_event_that_alone_is_never_stored_becomes_a_dead_letter_in_the_end() -> None:
    (failing,) = sent(1)
    for now in (10.0, 20.0, 30.0):
        (verdict,) = verdicts(
            decide(
                answer(207, item(FAILED, detail="why")),
                [failing],
                max_attempts=2,
                now=now,
                signs=signs_of("0", now - 5.0),
            )
        )
    assert verdict == Refused("attempts_exhausted", "why", Tries(0, 2, 30.0))


def test_207_what_it_says_nothing_of_is_sent_again_in_smaller_company() -> None:
    events = sent(4)
    missing = replace(answer(207, item(SUBMITTED)), items=(item(SUBMITTED), None, None, None))
    first, *others = verdicts(decide(missing, events))
    assert first == Acked()
    for verdict in others:
        assert isinstance(verdict, Retry)
        assert (verdict.company, verdict.tries) == (2, UNTRIED)
        assert verdict.delay > 0


def test_a_200_with_items_is_believed_item_by_item() -> None:
    stored, failed = verdicts(decide(answer(200, item(SUBMITTED), item(FAILED)), sent(2)))
    assert stored == Acked()
    assert isinstance(failed, Retry)


def test_207_that_cannot_be_read_is_an_unknown_outcome() -> None:
    assert decide(answer(207), sent(2)) == Outage("http_207", None, unknown=True)


def test_a_status_that_nobody_knows_is_a_mistake_of_ours() -> None:
    strange = item(cast("PublishingStatus", "lost"))
    with pytest.raises(AssertionError, match="unreachable"):
        decide(answer(207, strange), sent(1))


# 422


def test_422_the_failed_one_waits_and_the_innocent_go_at_once() -> None:
    events = sent(3)
    items = (item(ABORTED, "validating"), item(FAILED, "validating", "bad"), item(ABORTED, "none"))
    decided = decide(answer(422, *items), events)
    assert decided == Verdicts((AT_ONCE, Retry(REFUSAL_DELAYS[0], Tries(1)), AT_ONCE))
    assert [each.tries.refused for each in events] == [0, 1, 0]
    assert [each.tries.failed for each in events] == [0, 0, 0]


def test_422_stores_nothing_whatever_it_says() -> None:
    decided = decide(answer(422, item(SUBMITTED), item(FAILED, "validating")), sent(2))
    assert verdicts(decided)[0] == AT_ONCE


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("validating", "validation"),
        ("partitioning", "partitioning"),
        ("enriching", "enriching"),
        ("none", "validation"),
        ("publishing", "validation"),
    ],
)
def test_422_is_believed_the_third_time(step: str, reason: str) -> None:
    events = sent(1)
    refusal = answer(422, item(FAILED, step, "#/data/amount: expected number"))
    tries = [verdicts(decide(refusal, events))[0] for _ in range(3)]
    told = "#/data/amount: expected number"
    assert tries == [
        Retry(1.5, Tries(1)),
        Retry(3.5, Tries(2)),
        Refused(reason, told, Tries(3)),
    ]


def test_422_three_tries_take_about_five_seconds() -> None:
    assert len(REFUSAL_DELAYS) == module.REFUSALS - 1
    assert sum(REFUSAL_DELAYS) == 5.0


def test_422_still_believed_when_refused_again_later() -> None:
    events = sent(1)
    events[0].tries = Tries(refused=3)  # its dead letter had to wait
    decided = decide(answer(422, item(FAILED, "validating", "bad")), events)
    assert decided == Verdicts((Refused("validation", "bad", Tries(4)),))


def test_422_without_a_failed_item_is_bisected() -> None:
    events = sent(3)
    decided = decide(answer(422, *[item(ABORTED, "validating")] * 3), events)
    assert decided == Split(too_large=False)
    assert [each.tries.refused for each in events] == [0, 0, 0]


def test_422_without_a_failed_item_ends_when_it_is_alone() -> None:
    events = sent(1)
    refusal = answer(422, item(ABORTED, "none", "no deletes here"))
    tries = [verdicts(decide(refusal, events))[0] for _ in range(3)]
    assert tries == [
        Retry(1.5, Tries(1)),
        Retry(3.5, Tries(2)),
        Refused("validation", "no deletes here", Tries(3)),
    ]


def test_422_what_it_says_nothing_of_is_innocent() -> None:
    refusal = replace(answer(422, item(FAILED)), items=(None, item(FAILED, "validating")))
    assert decide(refusal, sent(2)) == Verdicts((AT_ONCE, Retry(REFUSAL_DELAYS[0], Tries(1))))


def test_422_with_a_problem_is_bisected_and_believed_the_third_time() -> None:
    """It is a refusal of Nakadi that names nobody, like a 400."""
    problem = answer(422, detail="Unprocessable Entity: why")
    assert decide(problem, sent(3)) == Split(too_large=False)
    events = sent(1)
    tries = [verdicts(decide(problem, events))[0] for _ in range(3)]
    assert tries == [
        Retry(1.5, Tries(1)),
        Retry(3.5, Tries(2)),
        Refused("rejected", "Unprocessable Entity: why", Tries(3)),
    ]


# The whole request


@pytest.mark.parametrize(("status", "too_large"), [(400, False), (413, True)])
def test_400_and_413_are_bisected(status: int, too_large: bool) -> None:
    assert decide(answer(status), sent(2)) == Split(too_large=too_large)


def test_400_alone_is_poison() -> None:
    decided = decide(answer(400, detail="Bad Request: why"), sent(1))
    assert decided == Verdicts((Refused("rejected", "Bad Request: why"),))


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 405, 406, 422, 451])
@pytest.mark.parametrize("count", [1, 3])
def test_what_nakadi_does_not_say_is_an_outage(status: int, count: int) -> None:
    decided = decide(foreign(status), sent(count))
    assert decided == Outage(f"foreign_{status}", None, unknown=True)


def test_413_alone_is_an_outage_as_long_as_nothing_else_is_stored() -> None:
    assert decide(answer(413), sent(1)) == Outage("http_413", None, unknown=True)


def test_401_is_about_the_token() -> None:
    assert decide(answer(401), sent(2)) == Unauthorised()


@pytest.mark.parametrize("status", [301, 302, 307, 402, 403, 404, 405, 406, 409, 415, 431, 451])
def test_what_the_operator_must_mend_stops_the_event_type(status: int) -> None:
    assert decide(answer(status), sent(2)) == Stopped(f"http_{status}")


@pytest.mark.parametrize("status", [0, 201, 204, 408, 425, 500, 501, 502, 504, 507, 520, 599])
def test_an_unknown_outcome_is_retried(status: int) -> None:
    assert decide(answer(status), sent(2)) == Outage(f"http_{status}", None, unknown=True)


def test_a_503_that_is_not_nakadis_may_have_been_stored() -> None:
    assert decide(foreign(503), sent(2)) == Outage("foreign_503", None, unknown=True)


@pytest.mark.parametrize("reason", ["connect_timeout", "connect", "dns", "tls"])
@pytest.mark.parametrize("count", [1, 2])
def test_without_a_connection_nothing_was_sent(reason: str, count: int) -> None:
    decided = decide(no_answer(reason, "", None), sent(count))
    assert decided == Outage(reason, None, unknown=False)


@pytest.mark.parametrize("status", [429, 503])
def test_what_says_that_nothing_is_stored_is_retried_without_doubt(status: int) -> None:
    decided = decide(answer(status, retry_after=7.0), sent(2))
    assert decided == Outage(f"http_{status}", 7.0, unknown=False)


def test_one_event_does_not_make_an_outage_its_own_fault() -> None:
    for status in (0, 401, 403, 404, 429, 500, 503):
        assert not isinstance(decide(answer(status), sent(1)), Verdicts)


def test_deciding_changes_no_event() -> None:
    for given_answer in (answer(422, item(FAILED)), answer(207, item(FAILED))):
        (only,) = sent(1)
        react(given_answer, [only], circumstances(chance=0.5))
        assert only.tries == UNTRIED


# An event that fails alone


def alone(
    event: Queued,
    now: float,
    *,
    given: Answer | None = None,
    stored_at: float | None = None,
    outage_at: float | None = None,
    steady: bool = True,
    max_attempts: int = 100,
) -> Reaction:
    """One failure at `now`; since the one before something was stored, and others failed, or not.

    What was stored is of the event's own partition.
    """
    signs = SignsOfLife(Placement(Partitioning(("id",), ("0",), steady=steady)))
    if stored_at is not None:
        signs.stored_in("0", stored_at)
    if outage_at is not None:
        signs.outage_at = outage_at
    decided = decide(
        given or foreign(403, "12 bytes"), [event], now=now, signs=signs, max_attempts=max_attempts
    )
    if isinstance(decided, FailsAlone):
        event.tries = decided.verdict.tries
    return decided


def suspect(failed_at: float = 10.0) -> Queued:
    """An event that was sent alone and failed."""
    (made,) = sent(1)
    made.body = b'{"data":{"id":"x"}}'
    made.tries = Tries(failed_at=failed_at)
    return made


def test_a_first_failure_alone_is_an_outage() -> None:
    assert isinstance(alone(suspect(float("-inf")), 20.0, stored_at=19.0), Outage)


def test_in_an_outage_nothing_counts_however_long_it_lasts() -> None:
    event = suspect()
    for now in range(20, 2_000):
        assert isinstance(alone(event, now, stored_at=9.0, outage_at=now - 0.5), Outage)
    assert event.tries == Tries(failed_at=10.0)


@pytest.mark.parametrize(
    "given", [foreign(400), foreign(403), answer(500), answer(0), foreign(503)]
)
def test_an_event_that_alone_fails_waits_alone(given: Answer) -> None:
    event = suspect()
    decided = alone(event, 20.0, given=given, stored_at=15.0, outage_at=10.0)
    assert isinstance(decided, FailsAlone)
    assert isinstance(decided.verdict, Retry)
    assert decided.verdict.company == 1
    assert FAILURE_DELAY_MIN <= decided.verdict.delay <= FAILURE_DELAY_MAX
    assert event.tries == Tries(0, 1, 20.0)


def test_an_event_that_alone_fails_is_a_dead_letter_in_the_end() -> None:
    event = suspect()
    for now in (20.0, 30.0):
        decided = alone(event, now, stored_at=now - 5.0, max_attempts=2)
    why = "foreign_403 12 bytes"
    assert decided == FailsAlone(Refused("attempts_exhausted", why, Tries(0, 2, 30.0)))


def test_a_try_between_which_others_failed_does_not_count() -> None:
    event = suspect()
    decided = alone(event, 20.0, stored_at=15.0, outage_at=10.1)
    assert isinstance(decided, FailsAlone)
    assert event.tries == Tries(0, 0, 20.0)


def test_a_try_does_not_count_if_only_other_partitions_have_stored_something() -> None:
    event = suspect()
    event.body = b'{"data":{}}'  # its partition is not known
    assert isinstance(alone(event, 20.0, stored_at=15.0), FailsAlone)
    assert event.tries == Tries(0, 0, 20.0)
    alone(event, 30.0, stored_at=25.0, steady=False)  # it may go to any
    assert event.tries == Tries(0, 1, 30.0)


def test_413_alone_is_believed_the_first_time_that_it_counts() -> None:
    event = suspect()
    event.body = b'{"data":{}}'
    noisy = alone(event, 20.0, given=answer(413), stored_at=15.0, outage_at=16.0)
    assert isinstance(noisy, FailsAlone)
    assert isinstance(noisy.verdict, Retry)
    decided = alone(event, 30.0, given=answer(413, detail="why"), stored_at=25.0)
    assert decided == FailsAlone(Refused("too_large", "http_413 why", Tries(0, 1, 30.0)))


@pytest.mark.parametrize("given", [answer(429), answer(503), no_answer("connect", "", None)])
def test_what_nobody_has_read_cannot_be_the_cause(given: Answer) -> None:
    decided = alone(suspect(), 20.0, given=given, stored_at=15.0)
    assert isinstance(decided, Outage)
    assert not decided.unknown


# What holds for every answer

statuses = st.sampled_from([0, 200, 207, 302, 400, 401, 403, 404, 413, 422, 429, 500, 503])
items = st.builds(
    BatchItemResponse,
    st.sampled_from(PublishingStatus),
    st.sampled_from(["none", "validating", "partitioning", "enriching", "publishing"]),
    st.text(max_size=3),
    st.sampled_from([None, "0", "1"]),
)


@given(st.data(), statuses, st.integers(1, 6), st.floats(0, 1, exclude_max=True))
def test_nothing_is_acked_that_was_not_named_as_stored(
    data: st.DataObject, status: int, count: int, chance: float
) -> None:
    named = data.draw(st.none() | st.lists(items, min_size=count, max_size=count))
    given_answer = answer(status, *(named or ()) if status in (207, 422) else ())
    decided = react(given_answer, sent(count), circumstances(3, chance))
    if status == 200:
        assert decided == Verdicts((Acked(),) * count)
    elif isinstance(decided, Verdicts):
        assert len(decided.verdicts) == count
        for index, verdict in enumerate(decided.verdicts):
            stored = status == 207 and named is not None and named[index].status is SUBMITTED
            assert isinstance(verdict, Acked) == stored
    elif isinstance(decided, Split):
        assert count > 1


def test_an_answer_as_it_comes_over_the_wire() -> None:
    body = (
        b'[{"publishing_status":"submitted","step":"publishing","partition":"1"},'
        b'{"publishing_status":"failed","step":"publishing","detail":"internal error",'
        b'"partition":"1"}]'
    )
    events = sent(2)
    given_answer = attributed(parse_answer(207, {}, body), events)
    first, second = verdicts(decide(given_answer, events))
    assert first == Acked()
    assert isinstance(second, Retry)
    assert events[1].tries.failed == 1


def test_a_list_of_the_wrong_length_settles_nothing() -> None:
    body = b'[{"publishing_status":"submitted","step":"publishing","partition":"1"}]'
    events = sent(2)
    assert isinstance(decide(attributed(parse_answer(207, {}, body), events), events), Outage)
