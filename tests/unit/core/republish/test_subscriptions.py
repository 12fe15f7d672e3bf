"""Who reads an event type."""

import json

import pytest

from consumer.core.republish.subscriptions import Subscription, subscriptions_of


def test_subscriptions_are_listed_by_owner() -> None:
    items = [
        {"id": "2", "owning_application": "stock", "consumer_group": "g", "event_types": ["a"]},
        {"id": "1", "owning_application": "mail"},
    ]
    assert subscriptions_of(json.dumps({"items": items, "_links": {}}).encode()) == (
        Subscription("1", "mail", ""),
        Subscription("2", "stock", "g"),
    )
    assert subscriptions_of(b'{"items":[]}') == ()


@pytest.mark.parametrize("body", [b"", b"[]", b'{"items":[{"id":7}]}', b"<html>", b"[" * 100_000])
def test_what_is_no_listing_says_nothing(body: bytes) -> None:
    assert subscriptions_of(body) is None
