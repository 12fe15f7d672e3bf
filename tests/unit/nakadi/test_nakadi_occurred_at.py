"""Date-times that the server takes."""

from __future__ import annotations

import pytest

from localdev.nakadi.schema.occurred_at import complaint


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T07:00:00Z",
        "2026-11-21t07:00:00z",
        "2026-11-21T07:00:00.123456789Z",
        "2026-11-21T07:00:00.Z",
        "2026-11-21T07:00:00+18:00",
        "2026-11-21T07:00:00-18:00",
        "2028-02-29T23:59:59Z",
        "0000-02-29T00:00:00Z",
    ],
)
def test_taken(text: str) -> None:
    assert complaint(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-21",
        "2026-11-21T07:00Z",
        "2026-11-21T07:00:00",
        "2026-11-21T07:00:00+01",
        "2026-11-21T07:00:00+01:00:00",
        "2026-11-21T07:00:00.1234567891Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T07:00:60Z",
        "2026-02-29T07:00:00Z",
        "2026-11-31T07:00:00Z",
        "2026-11-21T07:00:00+18:01",
        "2026-11-21T07:00:00Z\n",
        "10000-01-01T00:00:00Z",
        "\uff12026-11-21T07:00:00Z",
        "2026-11-21T07:00:00.\uff11Z",
        "2026-11-21T07:00:00+0\uff11:00",
    ],
)
def test_refused(text: str) -> None:
    assert complaint(text) is not None
