"""`consumer repair` at the desk: what is wrong in its options is one line."""

from __future__ import annotations

import pytest

from consumer import cli

LEAST = {
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "http://localhost:1",
    "CONSUMER_EVENT_TYPE": "order-store.order",
}
TIME = "2026-11-01T08:00:00Z"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", TIME), "--to: found nothing, wanted a time with its zone"),
        (("--to", TIME), "--from: found nothing, wanted a time with its zone"),
        (("--from", TIME, "--to", "soon"), "--to: found 'soon', wanted a time with its zone"),
        (("--from", TIME, "--to", TIME), f"--to: found {TIME}, wanted a time after {TIME}"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.execute(("repair", "--bucket", "b", *words), LEAST) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"consumer: {told}")
    assert errors.count("\n") == 1
