"""`consumer check --mapping`: the files of the AWS CLI, the function's settings, and one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from consumer.cli import execute

if TYPE_CHECKING:
    from pathlib import Path

STREAM = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-11-01T09:30:00.000"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:order-relay"
MAPPING: dict[str, Any] = {
    "UUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2",
    "StartingPosition": "TRIM_HORIZON",
    "BatchSize": 500,
    "EventSourceArn": STREAM,
    "FunctionArn": FUNCTION,
    "State": "Enabled",
    "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::thrown-away"}},
    "MaximumRecordAgeInSeconds": 82_800,
    "BisectBatchOnFunctionError": True,
    "MaximumRetryAttempts": -1,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "MetricsConfig": {"Metrics": ["EventCount"]},
}
SETTINGS = {
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "https://nakadi.example.org",
    "CONSUMER_EVENT_TYPE": "order-store.order",
    "CONSUMER_DEAD_LETTER_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/1/letters",
    "CONSUMER_MAX_RECORD_AGE_SECONDS": "72000",
    "CONSUMER_LAMBDA_PARTIAL": "true",
}
CONFIGURATION: dict[str, Any] = {
    "FunctionArn": FUNCTION,
    "Runtime": "python3.13",
    "Timeout": 120,
    "MemorySize": 512,
    "Environment": {"Variables": SETTINGS},
}


class Desk:
    """Files, and what the command says of them."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._captured = captured

    def file(self, name: str, content: object) -> str:
        path = self._folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def check(self, *words: str, **environ: str) -> tuple[int, str, str]:
        code = execute(["check", *words], environ)
        said = self._captured.readouterr()
        return code, said.out, said.err


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_a_fit_mapping_and_its_function(desk: Desk) -> None:
    files = ("--mapping", desk.file("m", MAPPING), "--function", desk.file("f", CONFIGURATION))
    code, out, err = desk.check(*files)
    assert (code, err) == (0, "")
    assert "doubtful" not in out
    assert out.count("\nmapping ") == 7
    assert f"function    ok       {FUNCTION}" in out


def test_without_the_function_the_settings_are_those_here(desk: Desk) -> None:
    mapping = desk.file("m", MAPPING)
    code, out, _ = desk.check("--mapping", mapping, **SETTINGS)
    assert (code, "doubtful" in out) == (0, False)
    code, out, _ = desk.check("--mapping", mapping, **SETTINGS | {"CONSUMER_TABLE": "bills"})
    assert code == 2
    assert "→ a mapping keeps its stream" in out


def test_what_only_this_machine_has_hides_nothing(desk: Desk) -> None:
    """The function has the table, and the machine another; the function has no queue."""
    variables = {name: text for name, text in SETTINGS.items() if "QUEUE" not in name}
    variables |= {"CONSUMER_MAX_RECORD_AGE_SECONDS": "", "CONSUMER_LAMBDA_PARTIAL": ""}
    function = CONFIGURATION | {"Environment": {"Variables": variables}}
    files = ("--mapping", desk.file("m", MAPPING), "--function", desk.file("f", function))
    here = SETTINGS | {"CONSUMER_CONFIG_FILE": desk.file("here.yaml", "lambda_partial: true\n")}
    code, out, err = desk.check(*files, **here, CONSUMER_STREAM_ARN=STREAM)
    assert (code, err) == (0, "")
    said = " ".join(out.split())
    assert "there is no CONSUMER_MAX_RECORD_AGE_SECONDS" in said
    assert "there is no dead letter queue" in said
    assert "CONSUMER_LAMBDA_PARTIAL is false" in said
    bare = CONFIGURATION | {"Environment": None}
    files = ("--mapping", files[1], "--function", desk.file("bare", bare))
    code, _, err = desk.check(*files, **SETTINGS)
    assert code == 2
    assert "CONSUMER_EVENT_TYPE: found nothing" in err


def test_the_settings_are_those_of_the_function(desk: Desk) -> None:
    """Its file is under another path here."""
    variables = {"CONSUMER_TABLE": "orders", "CONSUMER_CONFIG_FILE": "/var/task/relay.yaml"}
    lines = [
        f"{name.removeprefix('CONSUMER_').lower()}: '{text}'" for name, text in SETTINGS.items()
    ]
    here = desk.file("relay.yaml", "\n".join(lines).replace("'orders'", "'bills'"))
    function = CONFIGURATION | {"Environment": {"Variables": variables | {"OTHER": "x"}}}
    files = ("--mapping", desk.file("m", MAPPING), "--function", desk.file("f", function))
    assert desk.check(*files, CONSUMER_CONFIG_FILE=here)[0] == 0
    code, _, err = desk.check(*files)
    assert (code, err.count("\n")) == (2, 1)
    assert "/var/task/relay.yaml" in err


def test_what_is_hidden_is_told(desk: Desk) -> None:
    function = CONFIGURATION | {"Environment": {"Error": {"ErrorCode": "AccessDeniedException"}}}
    files = ("--mapping", desk.file("m", MAPPING), "--function", desk.file("f", function))
    code, out, _ = desk.check(*files, **SETTINGS)
    assert code == 0
    assert "could not be decrypted" in out


def test_a_mapping_of_the_dead_letter_queue(desk: Desk) -> None:
    queue = {
        "EventSourceArn": "arn:aws:sqs:eu-central-1:1:letters",
        "FunctionArn": FUNCTION,
        "State": "Enabled",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
    }
    mapping = desk.file("m", queue)
    assert desk.check("--mapping", mapping, **SETTINGS)[0] == 2
    assert desk.check("--mapping", mapping, "--redrive-by-mapping", **SETTINGS)[0] == 0


@pytest.mark.parametrize("option", ["--mapping", "--function"])
@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"token": "hush"', None])
def test_a_file_that_cannot_be_used_is_one_line(
    desk: Desk, option: str, content: str | None
) -> None:
    files = {"--mapping": desk.file("m", MAPPING), "--function": desk.file("f", CONFIGURATION)}
    files[option] = "nowhere" if content is None else desk.file("bad", content)
    words = [word for pair in files.items() for word in pair]
    code, out, err = desk.check(*words, **SETTINGS)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"consumer: {option}: found ")
    assert "hush" not in err


def test_a_function_alone_is_refused(desk: Desk) -> None:
    code, _, err = desk.check("--function", desk.file("f", CONFIGURATION), **SETTINGS)
    assert (code, err) == (
        2,
        "consumer: --function: found it without --mapping, whose function it is\n",
    )
