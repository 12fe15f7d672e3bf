"""The options that an event of the function of a redrive may have."""

import pytest

from consumer.commands.events.redrive_function import options_of
from consumer.errors import Misconfigured


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
