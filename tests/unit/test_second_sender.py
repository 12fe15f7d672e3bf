"""Another application that publishes the same stream to an event type of the routes."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from consumer.core.stream.stream import StreamPage, ViewType
from consumer.errors import Misconfigured
from consumer.runtime.discovery.bootstrap import first_row
from consumer.second_sender import check_second_sender
from consumer.settings.loading import load_settings
from tests.twins.fleet import source
from tests.twins.shard_list import STREAM, stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.leases.lease import StreamRow
    from consumer.core.stream.stream import Stream

ROUTES = json.dumps([{"event_type": name} for name in ("a.order", "a.audit", "a.payment")])
PAGE = StreamPage(STREAM, True, ViewType.NEW_AND_OLD_IMAGES, ("id",), (), None, 0.0)


def check(applications: dict[str, Stream], **settings: str) -> list[str]:
    """Return the applications that were asked for; each of them has a row of the stream given."""
    asked: list[str] = []

    async def rows_of(application: str) -> Sequence[StreamRow]:
        asked.append(application)
        found = applications.get(application)
        return [] if found is None else [first_row(source(), found, [])]

    given = {
        "CONSUMER_TABLE": "orders",
        "CONSUMER_NAKADI_URL": "https://nakadi.example",
        "CONSUMER_APPLICATION": "a.order",
        "CONSUMER_ROUTES": ROUTES,
    }
    loaded = load_settings({**given, **settings})
    asyncio.run(check_second_sender(loaded, PAGE, rows_of))
    return asked


def test_others_are_asked_for_and_may_read_another_stream() -> None:
    other = stream("2026-10-01T00:00:00.000")
    assert check({"a.order": STREAM, "a.audit": other}) == ["a.audit", "a.payment"]


def test_a_single_event_type_asks_for_none() -> None:
    single = {"CONSUMER_ROUTES": "", "CONSUMER_EVENT_TYPE": "a.audit"}
    assert check({"a.audit": STREAM}, **single) == []


def test_all_that_read_this_stream_are_named() -> None:
    with pytest.raises(Misconfigured, match=r"application a\.audit, a\.payment, .*two senders"):
        check({"a.audit": STREAM, "a.payment": STREAM})


def test_an_accepted_change_is_a_warning() -> None:
    with capture_logs() as logs:
        check({"a.audit": STREAM}, CONSUMER_ACCEPT_CHANGE="true")
    assert [(log["event"], log["application"]) for log in logs] == [("second_sender", "a.audit")]
