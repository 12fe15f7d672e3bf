"""The examples of routes in the README are settings that load, and mean what the README says."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consumer.core.backlog.queued_event import EVENT_BYTES
from consumer.core.event.event import Event
from consumer.core.event.items.shapes import Shapes
from consumer.core.routes.assembler import Assembler
from consumer.core.stream.page import decode_page
from consumer.settings.loading import load_settings
from consumer.settings.route_definition import RouteDefinition
from consumer.settings.routes import routes_of
from consumer.settings.settings import Settings
from tests.benchmarks.records import STREAM_ARN

README = (Path(__file__).parents[3] / "README.md").read_text()
Image = Mapping[str, Any]
KEYS = ("pk", "sk")
KEY = {"pk": "o-1", "sk": "ORDER"}
ENVIRON = {"CONSUMER_NAKADI_URL": "http://nakadi", "CONSUMER_TABLE": "orders"}


def chapter(title: str) -> str:
    """The text below a heading, up to the next one."""
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##+ )", README, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def example(title: str, folder: Path) -> Settings:
    """The settings of the YAML block of a chapter, as a user copies it into a file."""
    found = re.search(r"```yaml\n(.*?)```", chapter(title), re.DOTALL)
    assert found is not None, title
    path = folder / "consumer.yaml"
    path.write_text(found[1])
    return load_settings({**ENVIRON, "CONSUMER_CONFIG_FILE": str(path)})


class Published:
    """What the routes of an example make of changes, by the service's own way."""

    def __init__(self, settings: Settings) -> None:
        self._routes = routes_of(settings, KEYS)
        self._assembler = Assembler(self._routes, STREAM_ARN, Shapes())

    def of(self, old: Image | None, new: Image | None, **more: object) -> dict[str, Any]:
        """The events of a change, by event type; what is withheld makes none."""
        images = {"OldImage": old, "NewImage": new}
        change = {name: wire(image) for name, image in images.items() if image is not None}
        keys = {name: wire(KEY)[name] for name in KEYS}
        record = {
            "eventID": "1",
            "eventName": "REMOVE" if new is None else "INSERT" if old is None else "MODIFY",
            "dynamodb": {
                "ApproximateCreationDateTime": 1700000000,
                "Keys": keys,
                "SequenceNumber": "100000000000000000001",
                "StreamViewType": "NEW_AND_OLD_IMAGES",
                **change,
            },
            **more,
        }
        (read,) = decode_page(json.dumps({"Records": [record]}).encode()).records
        return {
            self._routes[number].event_type: json.loads(event.body)
            for number, event in self._assembler.events_of(read)
            if isinstance(event, Event)
        }


def wire(image: Image) -> dict[str, Any]:
    """An item as DynamoDB writes it; values that are no text are written so already."""
    return {
        name: {"S": value} if isinstance(value, str) else value for name, value in image.items()
    }


def test_the_three_routes_publish_what_the_chapter_says(tmp_path: Path) -> None:
    published = Published(example("One table, several event types", tmp_path))
    hidden = {
        "card_number": "4000",
        "customer": {"M": {"name": {"S": "Ada"}, "iban": {"S": "DE02"}}},
        "lines": {"L": [{"M": {"sku": {"S": "cup"}, "card": {"S": "4001"}}}]},
        "gsi1pk": "x",
        "gsi1sk": "y",
    }
    paid: Image = {**KEY, "kind": "ORDER", "status": "PAID", **hidden}
    shipped: Image = {**paid, "status": "SHIPPED", "shipped_at": "2026-11-01"}

    assert published.of(None, {**KEY, "kind": "LOCK"}) == {}

    (created,) = published.of(None, paid).values()
    assert created["data_op"] == "C"
    assert created["data"] == {
        "order_id": "o-1",
        "sk": "ORDER",
        "kind": "ORDER",
        "status": "PAID",
        "customer": {"name": "Ada"},
        "lines": [{"sku": "cup"}],
        "change": created["data"]["change"],
    }

    both = published.of(paid, shipped)
    assert list(both) == ["order-store.order", "order-store.order-shipped"]
    assert both["order-store.order-shipped"]["data"].keys() == {
        *("pk", "status", "shipped_at", "patch", "change")
    }
    eids = {event["metadata"]["eid"] for event in both.values()}
    assert len(eids) == 2, "no two events of an application have the same eid"

    assert published.of(paid, {**paid, "card_number": "4002"}) == {}, "nobody sees that"
    again = published.of(shipped, {**shipped, "note": "late"})
    assert list(again) == ["order-store.order"], "it was shipped before"
    (gone,) = published.of(shipped, None).values()
    assert gone["data_op"] == "D"

    outbox: Image = {
        **KEY,
        "kind": "EVENT",
        "payload": json.dumps({"amount": 7}),
        "event_id": "0b7e9d5e-3a4b-4a6e-9a6a-1f2d3c4b5a69",
        "flow": "f-1",
    }
    (event,) = published.of(None, outbox).values()
    assert event.pop("amount") == 7
    metadata = event.pop("metadata")
    assert (metadata["eid"], metadata["flow_id"]) == (outbox["event_id"], "f-1")
    assert event == {}
    assert published.of(outbox, {**outbox, "flow": "f-2"}) == {}
    assert published.of(outbox, None) == {}


def test_the_filter_criteria_of_a_mapping_mean_what_they_meant(tmp_path: Path) -> None:
    settings = example("Moving a Lambda's FilterCriteria over", tmp_path)
    patterns = re.findall(r"Pattern: '(.*)'", chapter("Moving a Lambda's FilterCriteria over"))
    criteria = json.dumps({"Filters": [{"Pattern": pattern} for pattern in patterns]})
    single = load_settings(
        {**ENVIRON, "CONSUMER_EVENT_TYPE": "order-store.order", "CONSUMER_FILTER": criteria}
    )
    order, lock = ({**KEY, "kind": kind} for kind in ("ORDER", "LOCK"))
    expired = {"userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}}
    for each in (settings, single):
        published = Published(each)
        assert list(published.of(None, order)) == ["order-store.order"]
        assert list(published.of(order, {**order, "n": "1"})) == ["order-store.order"]
        assert published.of(order, None) == {}, "a filter on NewImage takes no deletion"
        assert published.of(None, lock) == {}
        assert list(published.of(lock, None, **expired)) == ["order-store.order"]


def test_one_event_type_becomes_a_route_with_the_same_events(tmp_path: Path) -> None:
    listed = example("From one event type to routes and back", tmp_path)
    single = load_settings({**ENVIRON, "CONSUMER_EVENT_TYPE": "order-store.order"})
    assert listed.application == single.application
    order: Image = {**KEY, "kind": "ORDER"}
    changes = [(None, order), (order, {**order, "n": "1"}), (order, order), (order, None)]
    for old, new in changes:
        assert Published(listed).of(old, new) == Published(single).of(old, new) != {}


def test_every_key_of_a_route_is_in_the_table() -> None:
    cells = re.findall(r"^\| ([^|]*) \|", chapter("What is published"), re.MULTILINE)
    keys = [word for cell in cells for word in re.findall(r"`(\w+)`", cell)]
    assert sorted(keys) == sorted(RouteDefinition.model_fields)


def test_how_long_one_may_be_down_is_computed_as_it_is_written() -> None:
    text = chapter("What one event type costs the others")
    found = re.search(
        r"With (\d+) MiB, (\d+) shards and (\d+) events of\s+([\d,]+) bytes a second and shard it"
        r" takes (\d+) minutes",
        text,
    )
    assert found is not None
    mib, shards, events, size, minutes = (int(each.replace(",", "")) for each in found.groups())
    assert mib * 1024 * 1024 == Settings.model_fields["queue_bytes"].default
    seconds = mib * 1024 * 1024 / shards / (events * (size + EVENT_BYTES))
    assert round(seconds / 60) == minutes
