"""What `check --offline` and `event-type` say where there are several routes."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.patience import PATIENCE

ROUTES = """[
    {"event_type": "s.paid", "filter": {"item": {"status": {"S": ["mary.smith"]}}}},
    {"event_type": "s.sent", "name": "sent", "filter": {"eventName": ["INSERT"]}},
    {"event_type": "s.rest", "otherwise": true}
]"""
ENVIRON = {
    "PATH": os.environ["PATH"],
    "CONSUMER_APPLICATION": "orders",
    "CONSUMER_NAKADI_URL": "http://localhost:8080",
    "CONSUMER_ROUTES": ROUTES,
    "CONSUMER_TABLE": "orders",
}


def consumer(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "consumer", *words],
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_check_offline_shows_each_route() -> None:
    answer = consumer("check", "--offline")
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    assert lines[0] == (
        "settings are valid, some are doubtful: application orders; nothing was called"
    )
    assert lines[1].split()[0] == "dependency"
    assert "s.paid: a view: what enters is a C, what leaves a D" in lines[2]
    assert "doubtful  sent (s.sent): it says which changes are sent" in lines[3]
    assert "s.rest: it takes what no filter matches" in lines[-1]
    assert "mary" not in answer.stdout


def test_event_type_asks_which_of_several_routes_is_meant() -> None:
    answer = consumer("event-type")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == (
        "consumer: --route: found nothing, wanted one of s.paid, sent, s.rest\n"
    )
    wrong = consumer("event-type", "--route", "s.pai")
    assert wrong.returncode == 2
    assert wrong.stderr == (
        "consumer: --route: found 's.pai', wanted one of s.paid, sent, s.rest\n"
    )
