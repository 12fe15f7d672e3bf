"""No command prints the password of a proxy or an endpoint, whatever becomes of the request."""

from __future__ import annotations

import os

import pytest

from tests.integration.consumer_process import run_consumer

LEAST = {
    "PATH": os.environ["PATH"],
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "a",
    "CONSUMER_STREAM_ARN": "arn:aws:dynamodb:eu-central-1:1:table/t/stream/2026-11-01T00:00:00.000",
    "CONSUMER_NAKADI_URL": "https://127.0.0.1:1",
    "CONSUMER_EVENT_TYPE": "a.b",
    "CONSUMER_DEAD_LETTER_QUEUE_URL": "https://127.0.0.1:1/1/letters",
}
PASSWORD = "s3cr"  # noqa: S105 - how those below begin
PLACES = {
    "a proxy that is away": {"HTTPS_PROXY": "http://user:s3cr%27et@127.0.0.1:1"},
    "a proxy without a scheme": {"https_proxy": "user:s3cret@127.0.0.1:1"},
    "a proxy for everything": {"ALL_PROXY": "http://user:s3cret@127.0.0.1:1"},
    "a proxy with a slash": {"HTTPS_PROXY": "http://user:s3cr/et@127.0.0.1:1"},
    "a proxy with a line break": {"HTTPS_PROXY": "http://user:s3cr\net@127.0.0.1:1"},
    "a proxy with a port that is none": {"HTTPS_PROXY": "http://user:s3cret@127.0.0.1:99999"},
    "a proxy of another kind": {"HTTPS_PROXY": "socks5://user:s3cret@127.0.0.1:1"},
    "an endpoint": {"AWS_ENDPOINT_URL": "http://user:s3cret@127.0.0.1:1"},
    "an endpoint with a slash": {"AWS_ENDPOINT_URL": "http://user:s3cr/et@127.0.0.1:1"},
    "Nakadi": {"CONSUMER_NAKADI_URL": "https://user:s3cret@127.0.0.1:1"},
    "a queue": {"CONSUMER_DEAD_LETTER_QUEUE_URL": "https://user:s3cret@127.0.0.1:1/q"},
}


@pytest.mark.parametrize("given", PLACES.values(), ids=PLACES)
def test_check_prints_no_password(given: dict[str, str]) -> None:
    ended = run_consumer(["check"], {**LEAST, **given})
    shown = ended.stdout + ended.stderr
    assert PASSWORD not in shown, shown
    assert "Traceback" not in shown
    assert ended.returncode in {1, 2}
