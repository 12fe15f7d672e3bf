"""`/subscriptions` of the local Nakadi: who reads which event types."""

from __future__ import annotations

import json
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from localdev.nakadi.process import RefusedError
from tests.unit.nakadi.test_nakadi_event_types import definition

if TYPE_CHECKING:
    from localdev.nakadi.process import NakadiProcess


def listed(nakadi: NakadiProcess, query: str) -> list[Any]:
    request = urllib.request.Request(f"{nakadi.url}/subscriptions?{query}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: list[Any] = json.load(answer)["items"]
        return found


@pytest.fixture
def nakadi(nakadi_server: NakadiProcess) -> NakadiProcess:
    with suppress(RefusedError):  # a test before has made them
        for name in ("subscribed.a", "subscribed.b"):
            nakadi_server.create_event_type({**definition(), "name": name})
    return nakadi_server


def test_a_subscription_is_listed_by_its_event_type_and_its_owner(nakadi: NakadiProcess) -> None:
    first = nakadi.subscribe("stock", "subscribed.a", "cache")
    second = nakadi.subscribe("mail", "subscribed.a")
    other = nakadi.subscribe("stock", "subscribed.b", "cache")
    assert len({first, second, other}) == 3
    assert nakadi.subscribe("stock", "subscribed.a", "cache") == first
    found = listed(nakadi, "event_type=subscribed.a&limit=1000")
    assert found == [
        {
            "id": identity,
            "owning_application": owner,
            "event_types": ["subscribed.a"],
            "consumer_group": group,
        }
        for identity, owner, group in ((first, "stock", "cache"), (second, "mail", "default"))
    ]
    owned = listed(nakadi, "event_type=subscribed.a&owning_application=mail")
    assert [each["id"] for each in owned] == [second]
    assert len(listed(nakadi, "event_type=subscribed.a&limit=1&offset=1")) == 1


def test_what_cannot_be_subscribed_to_is_refused(nakadi: NakadiProcess) -> None:
    with pytest.raises(RefusedError, match="event type"):
        nakadi.subscribe("stock", "subscribed.none")
    with pytest.raises(RefusedError, match="must not be null"):
        nakadi.subscribe("", "subscribed.a")
    with pytest.raises(HTTPError):
        listed(nakadi, "limit=0")
