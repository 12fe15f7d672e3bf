"""`consumer redrive` against a queue of the embedded AWS and the local Nakadi."""

import dataclasses
import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from consumer.core.dead_letters.dead_letter import DeadLetter, encode
from localdev.aws.process import REGION, AwsProcess
from localdev.nakadi.process import NakadiProcess
from tests.integration.cluster import definition
from tests.integration.consumer_process import run_consumer
from tests.patience import PATIENCE

COMMAND = Path(sys.executable).with_name("consumer")
ARN = f"arn:aws:dynamodb:{REGION}:000000000000:table/orders/stream/2026-11-01T00:00:00.000"
LETTERS = int(os.environ.get("REDRIVE_LETTERS", "1000"))
"""How many the test of the kill puts into the queue; ten thousand on demand."""
BATCH = 50
IN_FLIGHT = 8
"""CONSUMER_PUBLISH_CONCURRENCY."""


class Desk:
    """A queue and an event type of its own for each test, and somebody at a shell."""

    def __init__(self, aws: AwsProcess, nakadi: NakadiProcess) -> None:
        self.name = f"redrive.{uuid.uuid4().hex[:8]}"
        self.nakadi = nakadi
        self.sqs = boto3.client(
            "sqs",
            endpoint_url=aws.endpoint_url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the embedded AWS takes any
        )
        self.queue = self.sqs.create_queue(QueueName=self.name.replace(".", "-"))["QueueUrl"]
        schema = {
            "type": "object",
            "required": ["id"],
            "properties": {"id": {"type": "string"}, "amount": {"type": "number"}},
        }
        nakadi.create_event_type(
            {
                **definition("id"),
                "name": self.name,
                "schema": {"type": "json_schema", "schema": json.dumps(schema)},
                "ordering_key_fields": [],
                "ordering_instance_ids": [],
            }
        )
        self.environ = {
            "PATH": os.environ["PATH"],
            **aws.environment(),
            "CONSUMER_TABLE": "orders",
            "CONSUMER_NAKADI_URL": nakadi.url,
            "CONSUMER_NAKADI_TOKEN": "token",
            "CONSUMER_EVENT_TYPE": self.name,
            "CONSUMER_DATA_TYPE": "order",
            "CONSUMER_DEAD_LETTER_QUEUE_URL": self.queue,
        }

    def put(self, *letters: DeadLetter) -> None:
        self.put_text(*(encode(letter, 1_000_000).decode() for letter in letters))

    def put_text(self, *bodies: str) -> None:
        for first in range(0, len(bodies), 10):
            self.sqs.send_message_batch(
                QueueUrl=self.queue,
                Entries=[
                    {"Id": str(index), "MessageBody": body}
                    for index, body in enumerate(bodies[first : first + 10])
                ],
            )

    def letter(self, number: int, key: str = "", **data: object) -> DeadLetter:
        """A dead letter whose event Nakadi accepts, unless `data` says otherwise."""
        key = key or f"o-{number}"
        eid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name}/{number}"))
        event = {
            "metadata": {"eid": eid, "occurred_at": "2026-11-01T09:30:00Z"},
            "data_type": "order",
            "data_op": "U",
            "data": {"id": key, "number": number, **data, "change": {"sequence": f"{number:040}"}},
        }
        return DeadLetter(
            reason="validation",
            detail="#/data/amount: expected number",
            event_type=self.name,
            stream_arn=ARN,
            shard_id="shardId-1",
            sequence=number,
            eid=eid,
            ordering_key=json.dumps([key]),
            attempts=3,
            first_attempt=1793525400.0,
            last_attempt=1793525405.25,
            event=json.dumps(event).encode(),
            record=None,
        )

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [COMMAND, "redrive", *words],
            env={**self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def redrive(self, *words: str, **environ: str) -> tuple[int, str, str]:
        done = run_consumer(["redrive", *words], {**self.environ, **environ})
        return done.returncode, done.stdout, done.stderr

    def stored(self) -> list[int]:
        """The numbers of the stored events, in storage order."""
        log: list[Any] = self.nakadi.log(self.name)
        return [json.loads(entry["event"])["data"]["number"] for entry in log]

    def depth(self) -> tuple[int, int]:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)
        return int(answer["Attributes"][names[0]]), int(answer["Attributes"][names[1]])

    def bodies(self) -> list[str]:
        """All visible messages; they stay hidden for a moment."""
        found: list[str] = []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.queue, MaxNumberOfMessages=10, VisibilityTimeout=600
            )
            if not answer.get("Messages"):
                return found
            found += [message["Body"] for message in answer["Messages"]]


@pytest.fixture
def desk(ministack: AwsProcess, nakadi_server: NakadiProcess) -> Iterator[Desk]:
    made = Desk(ministack, nakadi_server)
    yield made
    nakadi_server.remove_faults()
    made.sqs.close()


def test_what_is_accepted_is_deleted_and_a_key_is_in_order(desk: Desk) -> None:
    desk.put(*(desk.letter(number, f"o-{number % 7}") for number in (*range(50, 0, -1),)))
    code, out, errors = desk.redrive()
    assert (code, errors) == (0, "")
    assert "accepted: 50 " in out
    assert desk.depth() == (0, 0)
    by_key: dict[int, list[int]] = {}
    for number in desk.stored():
        by_key.setdefault(number % 7, []).append(number)
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    assert sum(map(len, by_key.values())) == 50


def test_an_empty_queue_is_no_error(desk: Desk) -> None:
    code, out, errors = desk.redrive()
    assert (code, out, errors) == (0, "0 messages received\n", "")


def test_what_is_refused_stays_and_the_rest_goes_on(desk: Desk) -> None:
    good = [desk.letter(number) for number in range(1, 31)]
    invalid = [desk.letter(number, amount="none") for number in (31, 32)]
    broken = dataclasses.replace(desk.letter(33), event=desk.letter(33, amount=2**70).event)
    desk.put(*good, *invalid, broken)
    code, out, errors = desk.redrive()
    assert code == 1
    assert sorted(desk.stored()) == list(range(1, 31))
    assert desk.depth() == (3, 0)
    assert "refused: 3 " in out
    assert "  validation: 2\n" in out
    assert "  rejected: 1\n" in out
    named = [line for line in out.splitlines() if "validation, tried" in line]
    assert all(line.split(" times: ")[1].startswith("#/data/amount: ") for line in named)
    tries = [int(line.split(" times: ")[0].split()[-1]) for line in named]
    assert len(tries) == 2
    assert min(tries) >= 6  # three before, three now, and those in which it was not the one named
    assert errors.count("event_refused") == 3


def test_a_record_is_transcoded_again_and_what_still_fails_is_no_news(desk: Desk) -> None:
    def record(number: int, amount: object) -> bytes:
        return json.dumps(
            {
                "eventID": str(number),
                "eventName": "INSERT",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1793525400,
                    "Keys": {"id": {"S": f"o-{number}"}},
                    "NewImage": {
                        "id": {"S": f"o-{number}"},
                        "number": {"N": str(number)},
                        "change": {"N": "1"},
                        "amount": amount,
                    },
                    "SequenceNumber": f"{number:021}",
                },
            }
        ).encode()

    letters = [
        dataclasses.replace(
            desk.letter(number), event=None, record=record(number, amount), attempts=0,
            first_attempt=None, last_attempt=None, reason="reserved_attribute",
        )
        for number, amount in ((1, {"N": "1.5"}), (2, {"X": "1.5"}))
    ]  # fmt: skip
    desk.put(*letters)
    code, out, _ = desk.redrive()
    assert code == 0
    assert desk.stored() == []
    assert "no event: 2 " in out
    assert "attribute 'change'" in out
    code, out, _ = desk.redrive(CONSUMER_CHANGE_FIELD="meta")
    assert code == 0
    assert desk.stored() == [1]
    assert "no event: 1 " in out
    assert desk.depth() == (1, 0)


def test_messages_of_others_are_left_alone_and_named(desk: Desk) -> None:
    elsewhere = dataclasses.replace(desk.letter(2), event_type="order-store.audit")
    desk.put(desk.letter(1), elsewhere)
    desk.put_text("hello", '{"version":2}', "[1]")
    code, out, _ = desk.redrive()
    assert code == 0
    assert desk.stored() == [1]
    assert "not ours: 4 " in out
    assert "its event type is 'order-store.audit'" in out
    assert "a dead letter of version 2" in out
    assert desk.depth() == (4, 0)


def test_what_was_cut_off_cannot_be_published(desk: Desk) -> None:
    large = dataclasses.replace(desk.letter(1), event=desk.letter(1, text="x" * 3000).event)
    desk.put_text(encode(large, 2000).decode())
    patched = desk.letter(2, patch=[{"op": "add", "path": "/text", "value": "x" * 3000}])
    desk.put_text(encode(patched, 2000).decode())
    code, out, _ = desk.redrive()
    assert code == 0
    assert "incomplete: 1 " in out
    (event,) = desk.nakadi.log(desk.name)
    data = json.loads(str(event["event"]))
    assert data["data"]["number"] == 2
    assert data["data"]["change"]["patch_omitted"] is True


def test_a_dry_run_prints_a_table_and_hides_nothing(desk: Desk) -> None:
    desk.put(*(desk.letter(number) for number in range(1, 13)))
    desk.put(
        dataclasses.replace(desk.letter(13), reason="expired"),
        dataclasses.replace(desk.letter(14), event_type="a.b"),
    )
    desk.put_text("hello")
    code, out, _ = desk.redrive("--dry-run")
    assert code == 0
    assert [line.split() for line in out.splitlines()[:5]] == [
        ["reason", "event", "type", "letters", "to", "publish"],
        ["expired", desk.name, "1", "1"],
        ["not", "a", "letter", "1", "0"],
        ["validation", "a.b", "1", "0"],
        ["validation", desk.name, "12", "12"],
    ]
    assert desk.depth() == (15, 0)
    assert desk.stored() == []
    code, out, _ = desk.redrive("--dry-run", "--max-messages", "4")
    assert "4 messages received" in out
    assert desk.depth() == (15, 0)


def test_a_list_says_of_each_letter_why_it_is_there(desk: Desk) -> None:
    refused = [desk.letter(number, "o-2" if number == 3 else "") for number in range(1, 4)]
    desk.put(*refused, dataclasses.replace(desk.letter(4), reason="expired", detail="\x1b[2Jold"))
    desk.put(dataclasses.replace(desk.letter(5), reason="new\x1b[2J"))
    desk.put_text("hello")
    code, out, errors = desk.redrive("--dry-run", "--list", "--json")
    assert code == 0
    letters = {line["sequence"]: line for line in map(json.loads, out.splitlines())}
    assert sorted(map(str, letters)) == ["1", "2", "3", "4", "5", "None"]
    assert letters["1"]["detail"] == "#/data/amount: expected number"
    assert (letters["1"]["reason"], letters["1"]["receptions"]) == ("validation", 1)
    assert 0 <= letters["1"]["age_seconds"] < PATIENCE
    assert letters["2"]["key"] == letters["3"]["key"] != letters["1"]["key"]
    assert letters[None]["stays"].startswith("no dead letter")
    assert "6 messages received" in errors
    assert "o-2" not in out
    code, out, _ = desk.redrive("--dry-run", "--list", "--show-keys", "--reason", "expired")
    header, line, *rest = out.splitlines()
    assert (code, header.split()[:2], line.split()[:2]) == (
        0,
        ["key", "sequence"],
        ['["o-4"]', "4"],
    )
    assert line.split()[3:] == ["2", "expired", r"\u001b[2Jold"]
    assert ("not a letter" in rest[0], rest[1]) == (True, "6 messages received")
    code, out, _ = desk.redrive("--dry-run")
    assert (code, [line.split()[0] for line in out.splitlines()[1:4]]) == (
        0,
        ["expired", r"new\u001b[2J", "not"],
    )
    assert desk.depth() == (6, 0)
    assert desk.stored() == []


def test_a_list_ends_when_its_reader_goes(desk: Desk) -> None:
    desk.put(*(desk.letter(number) for number in range(1, 31)))
    with desk.start("--dry-run", "--list", "--json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["reason"] == "validation"
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
    assert desk.depth() == (30, 0)


def test_filters(desk: Desk) -> None:
    desk.put(*(desk.letter(number) for number in range(1, 4)))
    desk.put(dataclasses.replace(desk.letter(4, "o-2"), reason="expired"))
    code, out, _ = desk.redrive("--key", "o-2", "--reason", "expired", "--since", "1h")
    assert (code, "filtered: 3 " in out) == (0, True)
    assert desk.stored() == [4]
    assert desk.depth() == (3, 0)
    assert desk.redrive("--since", "2100-01-01T00:00:00Z")[0] == 0
    assert desk.stored() == [4]


def test_at_most_so_many(desk: Desk) -> None:
    desk.put(*(desk.letter(number) for number in range(1, 31)))
    code, out, _ = desk.redrive("--max-messages", "13")
    assert (code, "accepted: 13 " in out) == (0, True)
    assert desk.depth() == (17, 0)


def test_messages_hidden_by_somebody_else_are_named_and_not_waited_for(desk: Desk) -> None:
    desk.put(*(desk.letter(number) for number in range(1, 6)))
    desk.sqs.receive_message(QueueUrl=desk.queue, MaxNumberOfMessages=2, VisibilityTimeout=3600)
    started = time.monotonic()
    code, out, _ = desk.redrive()
    assert (code, "accepted: 3 " in out) == (0, True)
    assert "hidden by somebody else: 2 " in out
    assert time.monotonic() - started < PATIENCE


def test_an_outage_is_waited_for_and_a_lost_answer_is_counted(desk: Desk) -> None:
    desk.put(*(desk.letter(number) for number in range(1, 6)))
    desk.nakadi.add_fault(kind="reset", when="after", count=1, event_type=desk.name)
    code, out, errors = desk.redrive()
    assert code == 0
    assert "publishing_backs_off" in errors
    assert "sent again because an answer was lost: 5 " in out
    assert Counter(desk.stored()) == dict.fromkeys(range(1, 6), 2)


def test_an_event_type_that_is_not_there_ends_the_run(desk: Desk) -> None:
    desk.put(dataclasses.replace(desk.letter(1), event_type="a.b"))
    code, out, _ = desk.redrive(CONSUMER_EVENT_TYPE="a.b")
    assert code == 1
    assert "ended early: Nakadi answered 404" in out
    assert desk.depth() == (1, 0)


def test_a_signal_ends_the_run_and_shows_what_it_held(desk: Desk) -> None:
    desk.put(*(desk.letter(number) for number in range(1, 31)))
    desk.nakadi.add_fault(kind="status", status=500, event_type=desk.name)
    with desk.start() as process:
        assert process.stderr is not None
        assert "publishing_backs_off" in process.stderr.readline()
        process.terminate()
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "ended early: it was called off" in out
    assert "not settled: 30 " in out
    assert desk.depth() == (30, 0)


@pytest.mark.slow
def test_killed_half_way_and_run_again_none_is_lost(desk: Desk) -> None:
    desk.put(*(desk.letter(number, f"o-{number % 97}") for number in range(LETTERS)))
    # Letters stay hidden for four requests' time after the kill.
    environ = {"CONSUMER_BATCH_EVENTS": str(BATCH), "CONSUMER_PUBLISH_TIMEOUT_SECONDS": "5"}
    # Nakadi keeps the others waiting, so that it is killed in the midst of the first window.
    half = LETTERS * 2 // 5 // BATCH
    desk.nakadi.add_fault(kind="delay", delay=3600.0, skip=half, event_type=desk.name)
    with desk.start(**environ) as process:
        while len(desk.stored()) < half * BATCH:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
        process.communicate()
    desk.nakadi.remove_faults()
    visible, hidden = desk.depth()
    assert len(desk.stored()) == half * BATCH
    accepted = 0
    while sum(desk.depth()):
        code, out, _ = desk.redrive(**environ)
        assert code == 0
        accepted += int(f"{out}accepted: 0 ".partition("accepted: ")[2].split(" ")[0])
    assert accepted == visible + hidden
    counts = Counter(desk.stored())
    assert sorted(counts) == list(range(LETTERS))
    duplicates = counts.total() - LETTERS
    print(f"{LETTERS} letters, {visible + hidden} left by the kill, {duplicates} duplicates")
    assert duplicates == visible + hidden - (LETTERS - half * BATCH)
    assert 0 <= duplicates <= IN_FLIGHT * BATCH  # stored, and not deleted yet
