"""From the stream to the dead letter queue and back: what a route leaves out is on no way."""

from msgspec.structs import replace

from consumer.core.dead_letters.dead_letter import encode
from consumer.core.dead_letters.redrive import RedriveOutcome
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.limits import PublishLimits
from consumer.core.routes.route import Route
from tests.twins.letter_source import LetterSourceTwin
from tests.twins.line import FORMAT, DeadLetterTwin, run_line
from tests.twins.nakadi import NakadiTwin, Reply, sequence_of
from tests.twins.shard import FIRST, ShardTwin
from tests.unit.runtime.test_delivery import refuses, to_the_end
from tests.unit.runtime.test_redrive_run import Desk

HIDDEN = b"xxxx"
"""What the attribute `fill` of all items is made of."""

OPEN = Route("shop.order", FORMAT, PublishLimits(), ("id",), name="order")
PUBLIC = replace(
    OPEN,
    event_type="shop.public",
    name="public",
    format=replace(FORMAT, selection=Selection(exclude=(read_path("fill"),))),
)


def refused_letters() -> DeadLetterTwin:
    """The letters of two changes, which Nakadi refuses in both event types."""
    shard, queue = ShardTwin(closed=True), DeadLetterTwin()
    shard.write_many(6, keys=2, size=40)
    bad = [FIRST + 1, FIRST + 3]
    line = run_line(
        to_the_end,
        shard=shard,
        queue=queue,
        routes=[(OPEN, refuses(*bad, status=422)), (PUBLIC, refuses(*bad, status=422))],
    )
    assert line.backlog.budget.used == 0
    return queue


def test_each_route_has_a_letter_of_its_own_with_what_it_shows() -> None:
    letters = refused_letters().letters
    assert sorted((letter.route, letter.sequence) for letter in letters) == [
        (route, FIRST + number) for route in ("order", "public") for number in (1, 3)
    ]
    for letter in letters:
        route = OPEN if letter.route == "order" else PUBLIC
        assert (letter.event_type, letter.rules) == (route.event_type, route.rules)
        assert (letter.record is not None) is (route is PUBLIC)
        assert (HIDDEN in encode(letter, 1_000_000)) is (route is OPEN)


def test_they_are_redriven_in_order_by_the_rules_of_today() -> None:
    source = LetterSourceTwin()
    source.put(*(encode(letter, 1_000_000) for letter in reversed(refused_letters().letters)))
    desk = Desk(source=source)
    public = NakadiTwin(script=lambda _: Reply())
    desk.others = {PUBLIC.event_type: public, OPEN.event_type: desk.nakadi}
    hiding = replace(OPEN, format=PUBLIC.format)
    narrower = Selection(exclude=(read_path("fill"), read_path("n")))
    today = replace(PUBLIC, format=replace(FORMAT, selection=narrower))
    report = desk.redrive(routes=(hiding, today))
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 2, RedriveOutcome.OTHER_RULES: 2}
    assert desk.nakadi.stored == []  # they have no record, and show what is left out now
    assert [sequence_of(body) for body in public.stored] == [FIRST + 1, FIRST + 3]
    assert not any(b'"n":' in body or HIDDEN in body for body in public.stored)
    assert len(source.messages) == 2
