"""`consumer.aws_lambda.redrive` against a queue of the embedded AWS and the local Nakadi."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from consumer.commands.events.redrive_function import RedriveFailed, redrive
from consumer.core.dead_letters.dead_letter import encode
from consumer.errors import Misconfigured
from consumer.settings.loading import DEAD_LETTER_QUEUE, EVENT_TYPE, NAKADI, load_settings
from localdev.aws.process import AwsProcess
from localdev.nakadi.process import NakadiProcess
from tests.integration.test_redriven_letters import Desk


@pytest.fixture
def desk(
    ministack: AwsProcess, nakadi_server: NakadiProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    made = Desk(ministack, nakadi_server)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    yield made
    nakadi_server.remove_faults()
    made.sqs.close()


def invoke(desk: Desk, event: object, remaining: float = 120.0, **more: str) -> Any:
    settings = load_settings({**desk.environ, **more}, [EVENT_TYPE, NAKADI, DEAD_LETTER_QUEUE])
    return asyncio.run(redrive(settings, event, remaining))


def handed(desk: Desk, *numbers: int, **data: object) -> list[dict[str, Any]]:
    """Letters as the mapping of a queue hands them over."""
    return [
        {
            "eventSource": "aws:sqs",
            "messageId": f"message-{number}",
            "receiptHandle": "handle",
            "body": encode(desk.letter(number, **data), 1_000_000).decode(),  # type: ignore[arg-type]
            "attributes": {"SentTimestamp": "1793525400000", "ApproximateReceiveCount": "1"},
        }
        for number in numbers
    ]


def test_the_queue_is_published_again_and_the_report_answered(desk: Desk) -> None:
    desk.put(*(desk.letter(number) for number in range(1, 26)))
    report = invoke(desk, {"max_messages": 20})
    assert report["outcomes"] == {"accepted": 20}
    assert report["summary"][0] == "20 messages received"
    assert invoke(desk, {})["received"] == 5
    assert sorted(desk.stored()) == list(range(1, 26))
    assert desk.depth() == (0, 0)


def test_a_letter_that_is_refused_fails_the_function_and_stays(desk: Desk) -> None:
    desk.put(desk.letter(1), desk.letter(2, amount="none"))
    with pytest.raises(RedriveFailed, match="refused: 1 "):
        invoke(desk, {})
    assert desk.stored() == [1]
    assert desk.depth() == (1, 0)


def test_it_ends_before_the_invocation_does(desk: Desk) -> None:
    desk.put(*(desk.letter(number) for number in range(1, 4)))
    desk.nakadi.add_fault(kind="status", status=503)
    settings = {"CONSUMER_PUBLISH_TIMEOUT_SECONDS": "5"}
    with pytest.raises(RedriveFailed, match="called off"):
        invoke(desk, {}, 17.0, **settings)
    assert desk.depth() == (3, 0)
    with pytest.raises(Misconfigured, match="time limit"):
        invoke(desk, {}, 15.0, **settings)


def test_messages_of_a_mapping_are_published_and_the_others_answered(desk: Desk) -> None:
    event = {"Records": [*handed(desk, 1, 2, 3), *handed(desk, 4, amount="none")]}
    answer = invoke(desk, event, CONSUMER_LAMBDA_PARTIAL="true")
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-4"}]}
    assert desk.stored() == [1, 2, 3]
    with pytest.raises(RedriveFailed):
        invoke(desk, event)
    assert invoke(desk, {"Records": handed(desk, 7)}) == {"batchItemFailures": []}
