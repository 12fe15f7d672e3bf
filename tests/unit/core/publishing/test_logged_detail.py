"""What the log says about why an event was refused."""

import json

import pytest

from consumer.core.publishing.logged_detail import MOST_CHARACTERS, logged_detail

BODY = json.dumps(
    {
        "data": {
            "status": "PAID now",
            "note": "PAID",
            "amount": 15,
            "rate": 0.5,
            "tags": ["x(", True, None, ""],
        }
    }
).encode()


@pytest.mark.parametrize(
    ("detail", "logged"),
    [
        ("#/data/qty: expected type: Number, found: String", None),
        ("#/data: required key [order_id] not found", None),
        ("#/data/note: expected maxLength: 3, actual: 4", None),
        ("#/data/note: PAID is not a valid enum value", "#/data/note: … is not a valid enum value"),
        ("string [PAID now] does not match", "string […] does not match"),
        ("string [x(] does not match", "string […] does not match"),
        ("PAIDX is no value of it", None),
        ("#/data/amount: 15.0 is not less than 10", "#/data/amount: … is not less than 10"),
        ("#/data/rate: 5e-1 is not 0.25", "#/data/rate: … is not 0.25"),
        ("", None),
    ],
)
def test_names_stay_and_values_of_the_event_do_not(detail: str, logged: str | None) -> None:
    assert logged_detail(detail, BODY) == (detail if logged is None else logged)


def test_it_is_cut() -> None:
    assert len(logged_detail("y" * 5_000, BODY)) == MOST_CHARACTERS


def test_without_an_event_there_is_nothing_to_hide() -> None:
    assert logged_detail("why", None) == "why"
