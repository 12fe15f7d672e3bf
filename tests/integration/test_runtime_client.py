"""The runtime interface client of AWS runs the handlers; one process stands still in between.

It is in the image of the Dockerfile's target `lambda`, and not in `.venv`: `make fetch` gets it.
"""

import asyncio
import sys
from pathlib import Path
from random import Random

import pytest

from localdev.event_source_mapping.function import LocalFunction
from localdev.event_source_mapping.mapping import Outcome
from localdev.event_source_mapping.stream_reading import StreamReading
from tests.fetch import RUNTIME_CLIENT
from tests.integration.cluster import cluster, definition
from tests.integration.mapped import events, made_earlier, mapped

FROZEN_SECONDS = 40.0
"""Longer than any connection lives."""

EVENTS = 3
ROOT = Path(__file__).parents[2]
CLIENT = str(RUNTIME_CLIENT) if (RUNTIME_CLIENT / "awslambdaric").is_dir() else ""
CLIENT_COMMAND = (sys.executable, "-m", "awslambdaric")
ENVIRON = {
    "PYTHONPATH": f"{ROOT}:{CLIENT}",
    "AWS_LAMBDA_FUNCTION_NAME": "relay",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_LOG_GROUP_NAME": "relay",
    "AWS_LAMBDA_LOG_STREAM_NAME": "relay",
}

pytestmark = pytest.mark.skipif(not CLIENT, reason="awslambdaric is missing: `make fetch` gets it")


def test_three_events_and_a_process_that_stands_still_between(tmp_path: Path) -> None:
    with cluster(tmp_path) as installed, mapped(installed, definition("id")) as function:
        installed.fill(300, keys=20)
        (shard,) = StreamReading(installed.streams.url, installed.arn).shards()
        log = tmp_path / "function.log"

        async def main() -> list[Outcome]:
            with log.open("wb") as out:
                local = LocalFunction(
                    {**function.environment(), **ENVIRON},
                    Random(1),
                    command=CLIENT_COMMAND,
                    log=out.fileno(),
                )
                found: list[Outcome] = []
                for number in range(EVENTS):
                    records = shard.records[number * 100 : (number + 1) * 100]
                    found.append(await local.invoke({"Records": [*records]}))
                    await asyncio.sleep(FROZEN_SECONDS if number < EVENTS - 1 else 0)
                found.append(await local.invoke({}))
                assert len(local.processes) == 1
                await local.stop()
                return found

        *answers, refused = asyncio.run(main())
        assert answers == [Outcome({"batchItemFailures": []})] * EVENTS
        assert refused.error is not None
        assert "no Records" in refused.error
        assert len(events(function.nakadi)) == 300
        assert "publishing_backs_off" not in log.read_text()


def test_a_redrive_of_letters_that_the_relay_has_written(tmp_path: Path) -> None:
    with cluster(tmp_path) as installed, mapped(installed, definition("id")) as function:
        installed.fill(10, keys=5)
        (shard,) = StreamReading(installed.streams.url, installed.arn).shards()
        function.settings["CONSUMER_MAX_RECORD_AGE_SECONDS"] = "72000"
        old = {int(each["dynamodb"]["SequenceNumber"]) for each in shard.records}
        event = {"Records": [made_earlier(each, old) for each in shard.records]}
        relayed = function.invoke(event, command=CLIENT_COMMAND, **ENVIRON)
        assert relayed == Outcome({"batchItemFailures": []})
        told = function.invoke({}, "consumer.aws_lambda.redrive", CLIENT_COMMAND, **ENVIRON)
        assert isinstance(told.answer, dict)
        assert (told.answer["received"], told.answer["outcomes"]) == (10, {"accepted": 10})
        assert len(events(function.nakadi)) == 10
        refused = function.invoke(
            {"max": 1}, "consumer.aws_lambda.redrive", CLIENT_COMMAND, **ENVIRON
        )
        assert refused.error is not None
        assert "found 'max'" in refused.error
