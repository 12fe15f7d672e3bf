"""Redrive on twins: what is published, deleted, kept hidden and left, whatever goes wrong."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from consumer.core.dead_letters.dead_letter import DeadLetter, encode
from consumer.core.dead_letters.redrive import RedriveOutcome, Selection
from consumer.core.event.event import EventFormat
from consumer.core.limits import PublishLimits
from consumer.core.publishing.early_end import PATIENCE_SECONDS
from consumer.core.reports.runs.redrive_report import RedriveReport
from consumer.core.routes.route import Route
from consumer.ports import Publisher
from consumer.runtime.redrive import redrive as module
from consumer.runtime.redrive.received_messages import QUEUE_SECONDS
from consumer.runtime.redrive.redrive import Redrive, RedriveJob
from tests.twins.letter_source import LetterSourceTwin
from tests.twins.nakadi import NakadiTwin, Reply, key_of, sequence_of
from tests.twins.virtual_time import HalfChance, run

ARN = "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/l"
ROUTE = Route("order-store.order", EventFormat("order", ("id",)), PublishLimits())
REQUEST = 40.0


def letter(sequence: int, key: str = "", **data: object) -> DeadLetter:
    key = key or f"k{sequence}"
    event = {"data": {"id": key, **data, "change": {"sequence": str(sequence)}}}
    return DeadLetter(
        reason="validation",
        detail="",
        event_type="order-store.order",
        stream_arn=ARN,
        shard_id="s",
        sequence=sequence,
        eid="e",
        ordering_key=json.dumps([key]),
        attempts=3,
        first_attempt=1.0,
        last_attempt=2.0,
        event=json.dumps(event).encode(),
        record=None,
    )


def body(written: DeadLetter) -> bytes:
    return encode(written, 1_000_000)


def job(**choices: Any) -> RedriveJob:
    made = RedriveJob((ROUTE,), REQUEST)
    return replace(made, **choices)


def _nothing(_report: RedriveReport) -> None:
    """Until a test wants to know of progress."""


@dataclass
class Desk:
    source: LetterSourceTwin = field(default_factory=LetterSourceTwin)
    nakadi: NakadiTwin = field(default_factory=NakadiTwin)
    others: dict[str, NakadiTwin] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def publishers(self) -> dict[str, Publisher]:
        return {ROUTE.event_type: self.nakadi, **self.others}

    def put(self, *letters: DeadLetter) -> None:
        self.source.put(*map(body, letters))

    def redrive(
        self,
        stop_at: float | None = None,
        progressed: Callable[[RedriveReport], None] = _nothing,
        **choices: object,
    ) -> RedriveReport:
        def progress(report: RedriveReport) -> None:
            progressed(report)
            sent = bool(self.nakadi.requests)
            if stop_at is not None and sent and report.outcomes[RedriveOutcome.ACCEPTED] >= stop_at:
                made[0].stop()

        made: list[Redrive] = []

        async def main() -> RedriveReport:
            clock = self.source.clock
            run_ = Redrive(
                self.source, self.publishers, clock, HalfChance(), job(**choices), progress
            )
            made.append(run_)
            report = await run_.run()
            self.seconds = self.source.clock.now()
            if self.source.deletes and not self.source.down:
                assert self.source.visible() == list(self.source.messages)  # what stays is shown
            return report

        return run(main)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def refusing(*bad: int, status: int = 422) -> NakadiTwin:
    def script(bodies: list[bytes]) -> Reply:
        culprits = [i for i, each in enumerate(bodies) if sequence_of(each) in bad]
        if not culprits:
            return Reply()
        if status != 422:
            return Reply(status)
        items = [("aborted", "validating")] * len(bodies)
        items[culprits[0]] = ("failed", "validating")
        return Reply(422, items)

    return NakadiTwin(script=script)


def test_a_key_is_in_order_one_event_at_a_time(desk: Desk) -> None:
    desk.put(*(letter(number, f"k{number % 3}") for number in (5, 9, 1, 8, 2, 7, 3, 4, 6)))
    report = desk.redrive()
    for key in ("k0", "k1", "k2"):
        assert desk.nakadi.sequences(key) == sorted(desk.nakadi.sequences(key))
    assert all(len(set(each.keys)) == len(each.keys) for each in desk.nakadi.requests)
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 9}
    assert desk.source.messages == {}
    assert report.exit_code == 0


@pytest.mark.parametrize("status", [422, 400])
def test_culprits_are_isolated_and_stay(desk: Desk, status: int) -> None:
    desk.nakadi = refusing(3, 77, status=status)
    desk.put(*(letter(number) for number in range(100)))
    report = desk.redrive()
    assert sorted(desk.source.messages) == ["m3", "m77"]
    assert sorted(map(sequence_of, desk.nakadi.stored)) == [
        number for number in range(100) if number not in (3, 77)
    ]
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 98, RedriveOutcome.REFUSED: 2}
    assert report.unsettled == 0
    assert report.refusals == {"validation" if status == 422 else "rejected": 2}
    assert report.exit_code == 1
    if status == 422:
        named = [each for each in desk.nakadi.requests if 3 in map(sequence_of, each.bodies)]
        assert len(named) >= 3


def test_why_an_event_was_refused_is_told_without_its_values(desk: Desk) -> None:
    said = "#/data/state: PAID is not a valid enum value"
    items = [("failed", "validating")]
    desk.nakadi = NakadiTwin(script=lambda _: Reply(422, items, detail=said))
    desk.put(letter(7, state="PAID"))
    with capture_logs() as logs:
        report = desk.redrive()
    told = "#/data/state: … is not a valid enum value"
    (line,) = [each for each in logs if each["event"] == "event_refused"]
    assert line["detail"] == told
    (named,) = report.names[RedriveOutcome.REFUSED]
    assert named.endswith(f" times: {told}")


def test_a_refused_event_does_not_hold_up_its_key(desk: Desk) -> None:
    desk.nakadi = refusing(1)
    desk.put(letter(1, "k"), letter(2, "k"))
    desk.redrive()
    assert desk.nakadi.sequences("k") == [2]


def test_of_a_207_only_what_was_submitted_is_deleted_at_once(desk: Desk) -> None:
    desk.nakadi.replies.append(Reply(207, [("submitted", ""), ("failed", ""), ("aborted", "")]))
    desk.put(letter(0), letter(1), letter(2))
    report = desk.redrive()
    first, *others = desk.nakadi.requests
    assert sorted(each for other in others for each in other.bodies) == sorted(first.bodies[1:])
    assert (report.outcomes, report.resent) == ({RedriveOutcome.ACCEPTED: 3}, 0)
    assert desk.source.messages == {}


def test_an_outage_is_waited_for(desk: Desk) -> None:
    desk.nakadi.replies.extend([Reply(503), Reply(500), Reply(0, reason="timeout"), Reply(401)])
    desk.put(letter(0), letter(1))
    report = desk.redrive()
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 2}
    # The 500 for both and the time-out for the first, which then goes alone: nobody knows.
    assert report.resent == 3
    assert report.exit_code == 0


def test_an_outage_that_lasts_ends_the_run(desk: Desk) -> None:
    desk.nakadi.script = lambda _: Reply(503)
    desk.put(letter(0), letter(1))
    report = desk.redrive()
    assert report.ended is not None
    assert "http_503" in report.ended
    assert report.exit_code == 1
    assert report.unsettled == 2
    assert PATIENCE_SECONDS < desk.seconds < PATIENCE_SECONDS + 30
    assert len(desk.source.messages) == 2


@pytest.mark.parametrize("status", [403, 404])
def test_what_an_operator_must_mend_ends_the_run_at_once(desk: Desk, status: int) -> None:
    desk.nakadi.replies.append(Reply(status))
    desk.put(letter(0))
    report = desk.redrive()
    assert str(status) in (report.ended or "")
    assert (report.exit_code, report.unsettled) == (1, 1)
    assert desk.seconds < 3  # two of them to find the queue empty


def test_what_is_open_stays_hidden_however_long_it_takes(desk: Desk) -> None:
    """Every answer takes 39 s: far more, all together, than a message stays hidden."""
    shown: set[str] = set()

    def script(_: list[bytes]) -> Reply:
        shown.update(desk.source.visible())
        return Reply(delay=REQUEST - 1)

    desk.nakadi.script = script
    desk.put(*(letter(number, "k") for number in range(20)))
    report = desk.redrive()
    assert shown == set()
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 20}
    assert desk.nakadi.sequences("k") == list(range(20))


@pytest.mark.parametrize("hiding", [0.0, 10.0, 40.0])
def test_nothing_is_sent_that_others_could_receive_before_its_request_ends(
    desk: Desk, hiding: float
) -> None:
    """However slow the queue is to hide messages for longer: two runs would send them twice."""
    least: list[float] = []

    def script(bodies: list[bytes]) -> Reply:
        now, sent = desk.source.clock.now(), {sequence_of(body) for body in bodies}
        hidden = [message.visible_at for name, message in desk.source.messages.items()
                  if int(name[1:]) in sent]  # fmt: skip
        least.append(min(hidden) - now)
        return Reply(delay=REQUEST - 1)

    desk.nakadi.script = script
    desk.source.hiding = hiding
    desk.put(*(letter(number, f"k{number % 4}") for number in range(40)))
    report = desk.redrive()
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 40} or hiding == 40.0
    assert report.outcomes[RedriveOutcome.ACCEPTED] == len(desk.nakadi.stored)
    assert min(least) > REQUEST
    assert desk.source.received_again == 0


def test_what_stays_comes_back_and_is_not_sent_again(desk: Desk) -> None:
    """Refused first, then so long a run that it is received once more."""
    desk.nakadi = refusing(0)
    desk.put(letter(0, "bad"))
    desk.source.put(b"not a letter")
    desk.put(*(letter(number, "k") for number in range(1, 60)))
    original = desk.nakadi.script
    assert original is not None

    def slow(bodies: list[bytes]) -> Reply:
        return dataclasses.replace(original(bodies), delay=5.0)

    desk.nakadi.script = slow
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WINDOW_LETTERS", 10)
        report = desk.redrive()
    assert desk.source.received_again > 0
    assert report.outcomes == {
        RedriveOutcome.ACCEPTED: 59,
        RedriveOutcome.REFUSED: 1,
        RedriveOutcome.FOREIGN: 1,
    }
    assert sum(key_of(each) == "bad" for one in desk.nakadi.requests for each in one.bodies) == 3
    assert report.received == 61


def test_what_cannot_be_deleted_is_counted_and_not_sent_again(desk: Desk) -> None:
    desk.source.stuck = {"m1"}
    desk.put(*(letter(number) for number in range(15)))
    desk.nakadi.delay = REQUEST - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WINDOW_LETTERS", 1)
        patch.setattr(module, "PER_RECEPTION", 1)
        report = desk.redrive()
    assert desk.source.received_again > 0
    assert (report.undeleted, report.exit_code) == (1, 1)
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 15}
    assert sorted(desk.source.messages) == ["m1"]
    assert len(desk.nakadi.stored) == 15


def test_a_queue_that_fails_now_and_then_is_asked_again(desk: Desk) -> None:
    desk.put(letter(0))
    desk.source.down = 3
    report = desk.redrive()
    assert (report.outcomes, report.exit_code) == ({RedriveOutcome.ACCEPTED: 1}, 0)


def test_a_queue_that_is_down_ends_the_run(desk: Desk) -> None:
    desk.put(letter(0))
    desk.source.down = 10**6
    report = desk.redrive()
    assert "queue could not be reached" in (report.ended or "")
    assert report.exit_code == 1
    assert desk.seconds < QUEUE_SECONDS + 10


def test_a_queue_that_is_denied_ends_the_run_at_once(desk: Desk) -> None:
    desk.put(letter(0))
    desk.source.down, desk.source.reason = 10**6, "access_denied"
    report = desk.redrive()
    assert (report.ended, report.exit_code) == ("the queue cannot be used: no answer", 1)
    assert desk.seconds < 1.0


def test_the_run_ends_after_two_receptions_without_a_message(desk: Desk) -> None:
    report = desk.redrive()
    assert desk.source.calls.count("receive") == 2
    assert (report.received, report.exit_code) == (0, 0)


def test_what_others_hide_is_counted_and_not_waited_for(desk: Desk) -> None:
    desk.put(letter(0), letter(1))
    desk.source.messages["m0"].visible_at = 600.0

    async def main() -> RedriveReport:
        clock = desk.source.clock
        made = Redrive(desk.source, desk.publishers, clock, HalfChance(), job(), lambda _: None)
        return await made.run()

    report = run(main)
    assert report.hidden == 1
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 1}


def test_called_off_it_leaves_the_rest_visible(desk: Desk) -> None:
    desk.put(*(letter(number, "k") for number in range(20)))
    report = desk.redrive(stop_at=5)
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 5}
    assert report.unsettled == 15
    assert report.ended == "it was called off"
    assert len(desk.source.messages) == 15


def test_a_dry_run_sends_and_deletes_nothing(desk: Desk) -> None:
    desk.put(*(letter(number) for number in range(25)))
    report = desk.redrive(dry_run=True)
    assert desk.nakadi.requests == []
    assert report.rows == {("validation", "order-store.order"): 25}
    assert report.publishable == report.rows
    assert "delete" not in desk.source.calls
    assert len(desk.source.messages) == 25


@pytest.mark.parametrize("dry_run", [False, True])
def test_no_more_than_asked_for_are_taken(desk: Desk, *, dry_run: bool) -> None:
    desk.put(*(letter(number) for number in range(25)))
    report = desk.redrive(max_messages=13, dry_run=dry_run)
    assert report.received == 13
    assert len(desk.nakadi.stored) == (0 if dry_run else 13)


def test_what_was_not_asked_for_does_not_count_as_one_of_them(desk: Desk) -> None:
    desk.put(
        *(letter(number) for number in range(5)), dataclasses.replace(letter(5), reason="expired")
    )
    report = desk.redrive(max_messages=1, selection=Selection(reasons=frozenset({"expired"})))
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 1, RedriveOutcome.FILTERED: 5}
    assert [sequence_of(each) for each in desk.nakadi.stored] == [5]


def test_a_413_makes_requests_smaller(desk: Desk) -> None:
    desk.nakadi.script = lambda bodies: Reply(413 if len(bodies) > 4 else 200)
    desk.put(*(letter(number, text="x" * 1000) for number in range(100)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WINDOW_LETTERS", 10)
        report = desk.redrive(routes=(replace(ROUTE, limits=PublishLimits(batch_bytes=12_000)),))
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 100}
    refused = sum(each.answer is not None and each.answer.status == 413
                  for each in desk.nakadi.requests)  # fmt: skip
    assert 0 < refused < 15  # three of every ten if it learnt nothing


def test_only_a_window_is_in_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_BYTES", 5_000)
    desk.put(*(letter(number, text="x" * 1000) for number in range(40)))
    report = desk.redrive()
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 40}
    assert max(len(each.bodies) for each in desk.nakadi.requests) == 10


def test_too_many_that_stay_end_the_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEFT_MESSAGES", 10)
    desk.source.put(*[b"?"] * 40)
    report = desk.redrive()
    assert "10 messages stay" in (report.ended or "")
    assert report.exit_code == 1


# What the queue's slowness and failures must not do


@pytest.mark.parametrize("count", [1, 5])
def test_a_partition_that_stays_down_ends_the_run(desk: Desk, count: int) -> None:
    desk.nakadi.script = lambda bodies: Reply(207, [("failed", "publishing")] * len(bodies))
    desk.put(*(letter(number) for number in range(count)))
    report = desk.redrive()
    assert "http_207" in (report.ended or "")
    assert PATIENCE_SECONDS < desk.seconds < PATIENCE_SECONDS + 60
    assert report.unsettled == count


def test_a_partition_whose_answers_are_late_ends_the_run(desk: Desk) -> None:
    def script(bodies: list[bytes]) -> Reply:
        if not desk.nakadi.requests[1:]:
            return Reply(207, [("failed", "publishing")] * len(bodies))
        return Reply(0, reason="timeout", delay=REQUEST - 1)

    desk.nakadi.script = script
    desk.put(letter(0), letter(1))
    report = desk.redrive()
    assert "timeout" in (report.ended or "")
    assert desk.seconds < PATIENCE_SECONDS + 2 * REQUEST
    assert all(request.answer is not None for request in desk.nakadi.requests)


def test_while_deleting_fails_nothing_more_is_published(desk: Desk) -> None:
    """What is accepted and not deleted comes twice with the next run: one batch at most."""
    desk.source.deletes = False
    desk.put(*(letter(number) for number in range(300)))
    report = desk.redrive(routes=(replace(ROUTE, limits=PublishLimits(batch_events=10)),))
    assert "queue could not be reached" in (report.ended or "")
    assert report.undeleted == len(desk.nakadi.stored) == 10
    assert report.unsettled == 290


def test_a_queue_that_fails_abandons_no_request(desk: Desk) -> None:
    desk.nakadi.script = lambda _: Reply(delay=REQUEST - 1)
    desk.put(*(letter(number, "k") for number in range(50)))

    def fail_later(_: RedriveReport) -> None:
        if desk.nakadi.requests:
            desk.source.down = 10**6

    report = desk.redrive(progressed=fail_later)
    assert "queue could not be reached" in (report.ended or "")
    assert all(request.answer is not None for request in desk.nakadi.requests)
    assert report.outcomes[RedriveOutcome.ACCEPTED] == len(desk.nakadi.stored) == report.undeleted


def test_a_key_with_many_letters_goes_at_the_pace_of_the_round_trips(desk: Desk) -> None:
    desk.nakadi.script = lambda _: Reply(delay=0.05)
    desk.source.call = 0.02
    desk.put(*(letter(number, "k") for number in range(40)))
    desk.redrive()
    assert desk.seconds < 40 * (0.05 + 0.02) + 5


def test_called_off_during_the_last_request_it_is_complete(desk: Desk) -> None:
    desk.put(letter(0))
    report = desk.redrive(stop_at=0)
    assert (report.outcomes, report.ended, report.exit_code) == (
        {RedriveOutcome.ACCEPTED: 1},
        None,
        0,
    )
    assert desk.source.messages == {}


@pytest.mark.parametrize("call", [0.1, 0.25])
def test_a_queue_that_is_slow_is_gone_through(desk: Desk, call: float) -> None:
    """A window closes before what was received first would have to be hidden again."""
    desk.source.call = call
    desk.put(*(letter(number) for number in range(5000)))
    report = desk.redrive()
    assert report.ended is None
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 5000}
    assert desk.source.received_again == 0


def test_what_is_open_stays_hidden_while_many_are_deleted(desk: Desk) -> None:
    shown: set[str] = set()

    def script(_: list[bytes]) -> Reply:
        shown.update(desk.source.visible())
        return Reply(delay=0.5)

    desk.nakadi.script = script
    desk.source.call = 0.2
    desk.put(*(letter(number) for number in range(2000)))
    desk.put(*(letter(5000 + number, "k") for number in range(200)))
    report = desk.redrive()
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 2200}
    assert shown <= {f"m{number}" for number in range(2200) if number >= report.received}
    assert desk.source.received_again == 0
