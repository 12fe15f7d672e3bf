"""`consumer check`, `leases` and `gaps` against the embedded AWS and the local Nakadi."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from msgspec.structs import replace

from consumer.adapters.aws.aws import Aws
from consumer.adapters.clock import SystemClock
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Gap, Lease, LeaseWrite, StreamRow, Worker
from localdev.aws.process import REGION, AwsProcess, local_aws
from localdev.nakadi.process import NakadiProcess, local_nakadi
from tests.integration.consumer_process import run_consumer
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = Path(sys.executable).with_name("consumer")
EVENT_TYPE = "order-store.payment"


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsProcess]:
    with local_aws() as process:
        yield process


@pytest.fixture(scope="module")
def nakadi() -> Iterator[NakadiProcess]:
    with local_nakadi() as process:
        process.create_event_type(definition(EVENT_TYPE, "data"))
        process.create_event_type(definition("order-store.audit", "undefined"))
        yield process


def definition(name: str, category: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    return {
        "name": name,
        "owning_application": "order-store",
        "category": category,
        "partition_strategy": "hash",
        "partition_key_fields": ["id"],
        "enrichment_strategies": [] if category == "undefined" else ["metadata_enrichment"],
        "schema": {"type": "json_schema", "schema": json.dumps(schema)},
    }


class Desk:
    """Somebody at a shell with a table, a queue and an event type."""

    def __init__(self, aws: AwsProcess, nakadi: NakadiProcess, table: str) -> None:
        self.aws = aws
        self.table = table
        self.environ = {
            "PATH": os.environ["PATH"],
            **aws.environment(),
            "CONSUMER_TABLE": table,
            "CONSUMER_LEASE_TABLE": f"{table}-leases",
            "CONSUMER_NAKADI_URL": nakadi.url,
            "CONSUMER_EVENT_TYPE": EVENT_TYPE,
        }

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.aws.endpoint_url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the embedded AWS takes any
        )

    def create_table(self, view_type: str | None) -> None:
        stream = {"StreamEnabled": True, "StreamViewType": view_type} if view_type else None
        self.client("dynamodb").create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **({"StreamSpecification": stream} if stream else {}),
        )

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return run_consumer(words, {**self.environ, **environ})

    def look_twice(self, *words: str) -> list[str]:
        """What a watching command says at the head of its looks; Ctrl-C ends it with 0."""
        process = subprocess.Popen(
            [COMMAND, *words], env=self.environ, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        with process.stdout as lines:
            heads: list[str] = []
            for line in lines:
                if line[2:3] == ":":
                    heads.append(line.split("  ", 1)[1].strip())
                if len(heads) == 2:
                    process.send_signal(signal.SIGINT)
                    break
            assert process.wait(PATIENCE) == 0
        return heads

    def verdicts(self, **environ: str) -> tuple[int, dict[str, str], str]:
        answer = self.run("check", **environ)
        first = [line for line in answer.stdout.splitlines()[1:] if not line.startswith(" ")]
        return (
            answer.returncode,
            {line[:19].strip(): line[19:32].split()[0] for line in first},
            answer.stdout,
        )


@pytest.fixture
def desk(aws: AwsProcess, nakadi: NakadiProcess, request: pytest.FixtureRequest) -> Desk:
    return Desk(aws, nakadi, f"t-{abs(hash(request.node.name))}")


def test_when_all_is_well_check_says_so(desk: Desk) -> None:
    desk.create_table("NEW_AND_OLD_IMAGES")
    fit = {"MessageRetentionPeriod": "1209600", "MaximumMessageSize": "1048576"}
    queue = desk.client("sqs").create_queue(QueueName=desk.table, Attributes=fit)["QueueUrl"]
    code, verdicts, _ = desk.verdicts(CONSUMER_DEAD_LETTER_QUEUE_URL=queue)
    assert code == 0
    assert list(verdicts) == [
        "settings",
        "AWS",
        "stream",
        "view type",
        "ordering key",
        "lease table",
        "dead letter queue",
        "clock",
        "token",
        "event type",
    ]
    assert set(verdicts.values()) == {"ok"}


def test_a_queue_that_is_unfit_for_letters(desk: Desk) -> None:
    desk.create_table("NEW_AND_OLD_IMAGES")
    attributes = {"FifoQueue": "true", "DelaySeconds": "7", "MessageRetentionPeriod": "86400"}
    name = f"{desk.table}.fifo"
    queue = desk.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    code, _, text = desk.verdicts(CONSUMER_DEAD_LETTER_QUEUE_URL=queue)
    assert code == 2
    assert "a FIFO queue refuses every letter" in text
    assert "after 1.0 days" in text
    assert "for 7 s" in text


def test_one_failure_does_not_hide_the_others(desk: Desk) -> None:
    code, verdicts, text = desk.verdicts(
        CONSUMER_LEASE_TABLE_CREATE="false",
        CONSUMER_NAKADI_TOKEN_FILE="/absent",  # noqa: S106 - a path
        CONSUMER_DEAD_LETTER_QUEUE_URL=f"{desk.aws.endpoint_url}/000000000000/absent",
        CONSUMER_EVENT_TYPE="order-store.absent",
    )
    assert code == 2
    wrong = ("stream", "lease table", "dead letter queue", "token", "event type")
    assert [verdicts[name] for name in wrong] == ["wrong"] * len(wrong)
    assert text.count("→ ") >= len(wrong) - 1


@pytest.mark.parametrize(
    ("view_type", "patch", "verdict"),
    [
        ("KEYS_ONLY", "false", "wrong"),
        ("OLD_IMAGE", "false", "wrong"),
        ("NEW_IMAGE", "true", "wrong"),
        ("NEW_IMAGE", "false", "ok"),
        (None, "true", "wrong"),
    ],
)
def test_the_view_type_must_hold_what_events_need(
    desk: Desk, view_type: str | None, patch: str, verdict: str
) -> None:
    desk.create_table(view_type)
    code, verdicts, text = desk.verdicts(CONSUMER_PATCH=patch)
    assert (code, verdicts["stream"]) == (0 if verdict == "ok" else 2, verdict)
    assert (view_type or "no stream") in text


def test_what_cannot_be_reached_is_exit_code_1(desk: Desk) -> None:
    nowhere = "http://127.0.0.1:1"
    code, verdicts, _ = desk.verdicts(
        AWS_ENDPOINT_URL=nowhere,
        AWS_ENDPOINT_URL_DYNAMODB=nowhere,
        AWS_ENDPOINT_URL_DYNAMODB_STREAMS=nowhere,
        CONSUMER_NAKADI_URL=nowhere,
    )
    assert code == 1
    assert [verdicts[name] for name in ("stream", "lease table", "event type")] == [
        "unreachable"
    ] * 3


def test_an_event_type_of_another_category_is_refused(desk: Desk) -> None:
    desk.create_table("NEW_AND_OLD_IMAGES")
    code, verdicts, text = desk.verdicts(CONSUMER_EVENT_TYPE="order-store.audit")
    assert (code, verdicts["event type"]) == (2, "wrong")
    assert "category undefined" in text


async def test_leases_are_shown_as_they_stand(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in desk.aws.environment().items():
        monkeypatch.setenv(name, value)
    clock = SystemClock()
    row = StreamRow(
        arn=f"arn:aws:dynamodb:{REGION}:000000000000:table/{desk.table}/stream/L",
        table=desk.table,
        label="L",
        after=None,
        start_position="TRIM_HORIZON",
        started_at=None,
        bootstrapped=True,
        sweep_n=0,
        sweep_done=0,
        changes=0,
        fingerprint="",
    )
    async with Aws() as client:
        store = LeaseTable(
            await client.dynamodb(2),
            clock,
            table=f"{desk.table}-leases",
            application=EVENT_TYPE,
            request_seconds=5.0,
        )
        await store.ensure_table(create=True)
        await store.create_stream(row)
        wall = clock.wall()
        await store.put_worker(
            Worker("w-1", 1, 1, (row.key,), True, False, wall, wall, "host", "0.1.0", PATIENCE)
        )
        parent = Lease("shard-a", None, created_at=wall)
        await store.create_lease(row.key, parent)
        await store.create_lease(row.key, Lease("shard-b", "shard-a", created_at=wall))
        await store.create_lease(row.key, Lease("shard-c", None, created_at=wall))
        held = replace(parent, owner="w-1", counter=1, checkpoint="42", record_at=wall)
        await store.write_lease(row.key, LeaseWrite(parent, held))
        ended = replace(held, owner=None, counter=2, checkpoint=SHARD_END)

        answer = desk.run("leases", "--json")
        assert (answer.returncode, answer.stderr) == (0, "")
        lines = {line.pop("shard_id"): line for line in json.loads(answer.stdout)}
        assert {shard: line["state"] for shard, line in lines.items()} == {
            "shard-a": "held",
            "shard-b": "waiting_for_parent",
            "shard-c": "unowned",
        }
        assert list(lines["shard-a"]) == [
            "parent_shard_id",
            "owner",
            "state",
            "checkpoint",
            "age_seconds",
            "paused",
            *("stream", "idle", "paused_by", "paused_at", "paused_reason"),
        ]
        assert (lines["shard-a"]["owner"], lines["shard-a"]["checkpoint"]) == ("w-1", "42")
        assert 0 <= lines["shard-a"]["age_seconds"] < PATIENCE

        await store.write_lease(row.key, LeaseWrite(held, ended))
        table = desk.run("leases")
        assert desk.look_twice("leases", "--watch") == [
            "3 shards: 1 finished, 2 unowned",
            "3 shards: 1 finished, 2 unowned",
        ]
        none = desk.run("gaps", "--json")
        assert none.stdout == "[]\n"
        assert none.stderr.startswith("no gaps: nothing was lost unread (lease table ")
        await store.put_gap(row.key, Gap("shard-a", "41", "42", "trimmed", 1635759000.0))
        (gap,) = json.loads(desk.run("gaps", "--json").stdout)
        assert gap == {
            "stream": row.key,
            "shard_id": "shard-a",
            "from": "41",
            "to": "42",
            "reason": "trimmed",
            "detected_at": "2021-11-01T09:30:00Z",
            "from_time": "2021-10-31T07:30:00Z",
            "to_time": "2021-11-01T09:30:00Z",
            "repaired_at": None,
            "repairable_until": None,
        }
        assert desk.run("gaps").stdout.splitlines()[1].split() == [
            "shard-a",
            "41",
            "42",
            "trimmed",
            "2021-11-01T09:30:00Z",
            *("too", "late"),
        ]
    states = [line.split()[1] for line in table.stdout.splitlines()]
    assert states == ["state", "finished", "unowned", "unowned"]


def test_leases_of_an_application_that_never_ran_are_an_empty_list_and_a_word(desk: Desk) -> None:
    answer = desk.run("leases", "--json")
    assert answer.returncode == 0
    assert json.loads(answer.stdout) == []
    assert answer.stderr.startswith("no leases: nothing has run yet (lease table ")
    assert answer.stderr.count("\n") == 1
    gaps = desk.run("gaps")
    assert (gaps.returncode, gaps.stdout) == (0, "")
    assert gaps.stderr.startswith("no gaps: nothing has run yet (lease table ")
