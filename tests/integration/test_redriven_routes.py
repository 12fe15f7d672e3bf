"""`consumer redrive` of several routes, with a queue of the embedded AWS and the local Nakadi.

The letters are made as the service makes them, by the routes of the settings of that time.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from consumer.core.dead_letters.dead_letter import DeadLetter
from consumer.core.dead_letters.letter_making import filled
from consumer.core.event.event import Event
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.transcode import Transcoder
from consumer.core.routes.route import Route
from consumer.core.stream.page import decode_page
from consumer.settings.loading import load_settings
from consumer.settings.routes import routes_of
from localdev.aws.process import AwsProcess
from localdev.nakadi.process import NakadiProcess
from tests.integration.cluster import definition
from tests.integration.test_redriven_letters import ARN, Desk

CARD = "4711-0815"


class Counter(Desk):
    """A queue and two event types, of orders and of what was shipped."""

    def __init__(self, aws: AwsProcess, nakadi: NakadiProcess) -> None:
        super().__init__(aws, nakadi)
        self.shipped = f"{self.name}.shipped"
        schema = {"type": "json_schema", "schema": json.dumps({"type": "object"})}
        plain = {"ordering_key_fields": [], "ordering_instance_ids": [], "schema": schema}
        nakadi.create_event_type({**definition("id"), "name": self.shipped, **plain})
        del self.environ["CONSUMER_EVENT_TYPE"], self.environ["CONSUMER_DATA_TYPE"]
        self.environ["CONSUMER_APPLICATION"] = self.name

    def routes(self, *, order: Any = None, shipped: Any = None) -> dict[str, str]:
        """The setting for two routes with these rules."""
        return {
            "CONSUMER_ROUTES": json.dumps(
                [
                    {"event_type": self.name, "name": "orders", **(order or {})},
                    {"event_type": self.shipped, "name": "shipped", **(shipped or {})},
                ]
            )
        }

    def made(
        self,
        name: str,
        number: int,
        rules: dict[str, str],
        key: str = "",
        *,
        drop_record: bool = False,
    ) -> DeadLetter:
        """The letter of a change that the route of this name could not publish."""
        settings = load_settings({**self.environ, **rules})
        routes = routes_of(settings, ("id",))
        (route,) = [each for each in routes if each.name == name]
        blank = DeadLetter(
            reason="validation",
            detail="",
            event_type=route.event_type,
            stream_arn=ARN,
            shard_id="shardId-1",
            sequence=number,
            eid=None,
            ordering_key=None,
            attempts=3,
            first_attempt=1793525400.0,
            last_attempt=1793525405.25,
            event=None,
            record=None,
        )
        made = filled(blank, _content(route, number, key or f"o-{number}"), route, routes)
        return replace(made, record=None) if drop_record else made

    def stored_in(self, event_type: str) -> list[dict[str, Any]]:
        log: list[Any] = self.nakadi.log(event_type)
        return [json.loads(entry["event"])["data"] for entry in log]


def _content(route: Route, number: int, key: str) -> Event:
    """The event of a change of an item, from the service's own code."""
    image = {"id": {"S": key}, "number": {"N": str(number)}, "card": {"S": CARD}}
    change = {
        "ApproximateCreationDateTime": 1793525400,
        "Keys": {"id": {"S": key}},
        "NewImage": image,
        "OldImage": {**image, "number": {"N": str(number - 1)}},
        "SequenceNumber": f"{number:021}",
    }
    wire = {"eventID": str(number), "eventName": "MODIFY", "dynamodb": change}
    (record,) = decode_page(json.dumps({"Records": [wire]}).encode()).records
    made = Transcoder(route.format, ARN, Shapes()).event_of(record)
    assert isinstance(made, Event)
    return made


@pytest.fixture
def desk(ministack: AwsProcess, nakadi_server: NakadiProcess) -> Iterator[Counter]:
    made = Counter(ministack, nakadi_server)
    yield made
    nakadi_server.remove_faults()
    made.sqs.close()


def test_one_run_serves_all_routes_and_each_key_is_in_order_in_each(desk: Counter) -> None:
    rules = desk.routes(order={"exclude": ["card"]})
    numbers = range(40, 0, -1)
    letters = [
        desk.made(name, number, rules, f"o-{number % 5}")
        for number in numbers
        for name in ("orders", "shipped")
    ]
    desk.put(*letters)
    code, out, _ = desk.redrive(**rules)
    assert code == 0
    assert "accepted: 80 " in out
    assert f"{desk.name}: accepted 40\n{desk.shipped}: accepted 40\n" in out
    assert desk.depth() == (0, 0)
    for event_type, shows_card in ((desk.name, False), (desk.shipped, True)):
        stored = desk.stored_in(event_type)
        assert len(stored) == 40
        assert all(("card" in data) is shows_card for data in stored)
        for key in {data["id"] for data in stored}:
            of_key = [data["number"] for data in stored if data["id"] == key]
            assert of_key == sorted(of_key)


def test_an_event_type_that_is_not_there_ends_its_own_part_only(desk: Counter) -> None:
    rules = desk.routes(shipped={"event_type": f"{desk.name}.gone"})
    desk.put(*(desk.made(name, n, rules) for n in range(1, 11) for name in ("orders", "shipped")))
    code, out, _ = desk.redrive(**rules)
    assert code == 1
    assert len(desk.stored_in(desk.name)) == 10
    assert "not sent: 10 " in out
    assert f"{desk.name}.gone: not sent 10; ended early: Nakadi answered 404" in out
    assert "\nended early" not in out
    assert desk.depth() == (10, 0)


def test_after_the_rules_have_changed_nothing_that_is_left_out_now_is_published(
    desk: Counter,
) -> None:
    before = desk.routes(order={"rename": {"number": "n"}})
    today = desk.routes(order={"exclude": ["card"]})
    desk.put(desk.made("orders", 1, before), desk.made("orders", 2, before, drop_record=True))
    desk.put(desk.made("shipped", 3, before))  # its rules are the same
    code, out, _ = desk.redrive(**today)
    assert code == 0
    assert "made by other rules: 1 " in out
    assert "route 'orders' has changed, and the letter has no record" in out
    (made_again,) = desk.stored_in(desk.name)
    assert (made_again["number"], "card" in made_again) == (1, False)
    assert made_again["patch"] == [{"op": "replace", "path": "/number", "value": 1}]
    assert [data["number"] for data in desk.stored_in(desk.shipped)] == [3]
    assert desk.depth() == (1, 0)
    code, out, _ = desk.redrive("--as-made", **today)
    assert (code, "accepted: 1 " in out) == (0, True)
    assert [data.get("card") for data in desk.stored_in(desk.name)] == [None, CARD]
    assert desk.depth() == (0, 0)


def test_a_hidden_key_is_found_and_shown_nowhere(desk: Counter) -> None:
    rules = desk.routes(order={"exclude": ["id"]})
    desk.put(*(desk.made("orders", number, rules, f"o-{number % 2}") for number in range(1, 5)))
    (body, *_) = desk.bodies()[:1]
    assert "o-1" not in body
    assert "o-0" not in body
    desk.sqs.purge_queue(QueueUrl=desk.queue)
    desk.put(*(desk.made("shipped", number, rules, f"o-{number % 2}") for number in range(1, 5)))
    hidden = desk.routes(shipped={"exclude": ["id", "card"]})
    desk.put(*(desk.made("shipped", n, hidden, f"o-{n % 2}") for n in range(5, 9)))
    code, out, errors = desk.redrive("--dry-run", "--list", "--json", "--key", "o-1", **rules)
    assert (code, "8 messages received" in errors) == (0, True)
    lines = [json.loads(line) for line in out.splitlines()]
    assert sorted(line["sequence"] for line in lines) == ["1", "3", "5", "7"]
    assert {line["route"] for line in lines} == {"shipped"}
    assert len({line["key"] for line in lines}) == 1
    code, out, _ = desk.redrive("--dry-run", "--list", **rules)
    header, first, *_ = out.splitlines()
    assert header.split() == [
        "key", "sequence", "age", "receptions", "reason", "route", "detail",
    ]  # fmt: skip
    assert first.split()[5] == "shipped"


def test_a_letter_whose_route_is_gone_stays_and_is_named(desk: Counter) -> None:
    rules = desk.routes()
    desk.put(desk.made("orders", 1, rules), desk.made("shipped", 2, rules))
    only = {"CONSUMER_ROUTES": json.dumps([{"event_type": desk.name, "name": "orders"}])}
    code, out, _ = desk.redrive(**only)
    assert code == 0
    assert [data["number"] for data in desk.stored_in(desk.name)] == [1]
    assert f"its event type is '{desk.shipped}', its route was 'shipped'" in out
    assert desk.depth() == (1, 0)
