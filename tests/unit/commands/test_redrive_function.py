"""The options that an event of the function of a redrive may have, and how long it lasts."""

from typing import Any

import pytest

from consumer.commands.events import redrive_function
from consumer.commands.events.redrive_function import RedriveFailed, options_of, redrive
from consumer.core.dead_letters.dead_letter import encode
from consumer.core.invocation.sending_time import LEAST_SECONDS
from consumer.errors import Misconfigured
from consumer.settings.loading import DEAD_LETTER_QUEUE, EVENT_TYPE, NAKADI, load_settings
from tests.twins.invocations import ROUTE
from tests.twins.nakadi import NakadiTwin, Reply
from tests.twins.virtual_time import VirtualClock, run
from tests.unit.runtime.test_redrive_of_routes import letter

ENVIRON = {
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "http://127.0.0.1:9",
    "CONSUMER_EVENT_TYPE": ROUTE.event_type,
    "CONSUMER_DEAD_LETTER_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/1/letters",
    "CONSUMER_PUBLISH_TIMEOUT_SECONDS": "5",
}


def test_an_empty_event_is_a_redrive_of_everything() -> None:
    found = options_of({})
    assert (found.since, found.reason, found.key, found.max_messages) == (None, [], None, None)
    assert (found.as_made, found.dry_run) == (False, False)


def test_the_options_are_those_of_the_command() -> None:
    found = options_of({"since": "6h", "reason": ["expired"], "max_messages": 5, "dry_run": True})
    assert (found.since, found.reason, found.max_messages) == ("6h", ["expired"], "5")
    assert found.dry_run


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (None, "an object"),
        ([], "an object"),
        ({"detail-type": "Scheduled Event"}, "detail-type"),
        ({"since": 6}, "since: wanted text"),
        ({"reason": "expired"}, "reason: wanted a list of texts"),
        ({"reason": [1]}, "reason: wanted a list of texts"),
        ({"max_messages": True}, "max_messages: wanted a number"),
        ({"dry_run": "yes"}, "dry_run: wanted true or false"),
    ],
)
def test_another_option_or_type_is_refused(event: object, told: str) -> None:
    with pytest.raises(Misconfigured, match=told):
        options_of(event)


def test_the_time_in_which_clients_are_opened_is_time_of_the_invocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The secret with the token may take ten seconds to be read."""
    settings = load_settings(ENVIRON, [EVENT_TYPE, NAKADI, DEAD_LETTER_QUEUE])
    clock, nakadi = VirtualClock(), NakadiTwin(script=lambda _: Reply(delay=4.0))
    handed = [
        {
            "eventSource": "aws:sqs",
            "messageId": str(number),
            "receiptHandle": "handle",
            "body": encode(letter(ROUTE, number, "a"), 1_000_000).decode(),
            "attributes": {},
        }
        for number in range(1, 30)
    ]

    async def slowly(*_: Any) -> dict[str, NakadiTwin]:
        await clock.sleep(10)
        return {ROUTE.event_type: nakadi}

    monkeypatch.setattr(redrive_function, "SystemClock", lambda: clock)
    monkeypatch.setattr(redrive_function, "nakadis", slowly)

    async def main() -> None:
        with pytest.raises(RedriveFailed, match="called off"):
            await redrive(settings, {"Records": handed}, 60.0)
        assert len(nakadi.requests) > 0
        assert clock.now() <= 60 - LEAST_SECONDS

    run(main)
