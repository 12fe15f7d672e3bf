"""A route says where changes go, and as what."""

import pytest
from msgspec.structs import replace

from consumer.core.event.event import Category, EventFormat, MetadataSources
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.limits import PublishLimits
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route


def test_the_keys_of_the_table_may_be_unknown() -> None:
    route = Route("order-store.order", EventFormat("order", ()), PublishLimits())
    assert route.keys == ()


def test_without_a_filter_it_takes_everything() -> None:
    route = Route("order-store.order", EventFormat("order", ()), PublishLimits())
    assert route.filter is None


def test_people_read_its_name_or_else_its_event_type() -> None:
    route = Route("order-store.order", EventFormat("order", ()), PublishLimits())
    assert route.title == "order-store.order"
    assert replace(route, name="orders").title == "orders"


def test_its_rules_are_those_of_its_events_and_not_of_what_it_takes() -> None:
    route = Route("order-store.order", EventFormat("order", ()), PublishLimits())
    asked = replace(
        route,
        name="orders",
        filter=read_filter({"eventName": ["INSERT"]}),
        changed=(read_path("a"),),
        skip_unchanged=True,
        limits=PublishLimits(batch_events=1),
        keys=("id",),
    )
    assert asked.rules == route.rules
    assert replace(route, event_type="a.b").rules != route.rules


@pytest.mark.parametrize(
    "form",
    [
        EventFormat("order", (), selection=Selection(include=())),
        EventFormat("order", (), selection=Selection(exclude=(read_path("a"),))),
        EventFormat("order", (), selection=Selection(rename=(("a", "b"),))),
        EventFormat("order", (), category=Category.BUSINESS),
        EventFormat("order", (), metadata=MetadataSources(eid="a")),
        EventFormat("order", (), eid_event_type="a.b"),
    ],
)
def test_a_plain_one_makes_the_events_of_versions_without_routes(form: EventFormat) -> None:
    assert not Route("a.b", form, PublishLimits()).is_plain
    for plain in (EventFormat("order", ("id",), patch=False),
                  EventFormat("order", (), selection=Selection())):  # fmt: skip
        assert Route("a.b", plain, PublishLimits()).is_plain


def test_messages_name_its_settings_as_they_are_written() -> None:
    single = Route("a.b", EventFormat("order", ()), PublishLimits(), single=True)
    assert (single.setting(), single.setting("layout")) == (
        "CONSUMER_EVENT_TYPE",
        "CONSUMER_LAYOUT",
    )
    routed = replace(single, single=False, name="orders")
    assert routed.setting() == "CONSUMER_ROUTES, route orders"
    assert routed.setting("layout") == "CONSUMER_ROUTES, route orders, layout"
