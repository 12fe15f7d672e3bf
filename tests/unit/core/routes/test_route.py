"""A route says where changes go, and as what."""

from consumer.core.event.event import EventFormat
from consumer.core.limits import PublishLimits
from consumer.core.routes.route import Route


def test_the_keys_of_the_table_may_be_unknown() -> None:
    route = Route("order-store.order", EventFormat("order", ()), PublishLimits())
    assert route.keys == ()


def test_without_a_filter_it_takes_everything() -> None:
    route = Route("order-store.order", EventFormat("order", ()), PublishLimits())
    assert route.filter is None
