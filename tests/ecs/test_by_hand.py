"""The readme's commands by hand, run as they stand there against an `aws` that takes notes."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
import pytest
from aiobotocore.client import AioBaseClient
from botocore.validate import ParamValidator

from consumer.cli import _parser, execute
from localdev.aws.process import AwsProcess
from tests.ecs.intrinsics import PSEUDO, template
from tests.ecs.test_template import README, container, stack, statements

ROLES = {
    **dict.fromkeys(("check", "leases", "gaps"), "CheckRole"),
    **dict.fromkeys(("seek", "pause", "resume"), "OperateRole"),
    "redrive": "RedriveRole",
    "republish": "RepublishRole",
    "snapshot": "SnapshotRole",
}
OPERATE_ROLE = "arn:aws:iam::123456789012:role/order-relay-OperateRole-1A2B3C"
AWS = f"""#!{sys.executable}
import json, pathlib, sys
with (pathlib.Path(sys.argv[0]).parent / "notes").open("a") as notes:
    print(json.dumps(sys.argv[1:]), file=notes)
match sys.argv[1:3]:
    case ["ecs", "run-task"]:
        print("arn:aws:ecs:eu-central-1:123456789012:task/main/0f1e2d")
    case ["cloudformation", "describe-stacks"]:
        print("{OPERATE_ROLE}")
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of `aws`: its two words, and its options by name."""

    words: tuple[str, str]
    options: dict[str, str]

    @property
    def overrides(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.options["--overrides"])
        return read


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """What the readme's script asks of AWS."""
    found = re.search(r"## Commands by hand\n.*?```sh\n(.*?)```", README, re.DOTALL)
    assert found is not None
    folder = tmp_path_factory.mktemp("bin")
    (folder / "aws").write_text(AWS)
    (folder / "aws").chmod(0o755)
    environ = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-eu"], input=found[1], text=True, env=environ, check=True)
    lines = [json.loads(line) for line in (folder / "notes").read_text().splitlines()]
    return [_call(line) for line in lines]


def _call(line: list[str]) -> Call:
    first, second, *rest = line
    if rest and not rest[0].startswith("--"):
        rest = ["", *rest]
    return Call((first, second), dict(zip(rest[::2], rest[1::2], strict=True)))


def tasks(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.words == ("ecs", "run-task")]


def definition_of(call: Call) -> str:
    made = stack().resources
    (name,) = (
        n for n, each in made.items() if each.get("Family") == call.options["--task-definition"]
    )
    return name


def words_of(call: Call) -> list[str]:
    overrides = call.overrides.get("containerOverrides")
    words: list[str] = container(stack(), definition_of(call))["Command"]
    if overrides is not None:
        words = overrides[0]["command"]
    return words


def test_ecs_takes_what_is_asked_of_it(calls: list[Call]) -> None:
    shape = botocore.session.get_session().get_service_model("ecs").operation_model("RunTask")
    for call in tasks(calls):
        parameters: dict[str, object] = {
            _camel(name): value for name, value in call.options.items() if name in ARGUMENTS
        }
        report = ParamValidator().validate(
            parameters | {"overrides": call.overrides}, shape.input_shape
        )
        assert report.generate_report() == ""
        known = shape.input_shape.members
        assert {_camel(n) for n in call.options} <= known.keys() | {"query", "output"}
        named = {each["name"] for each in call.overrides.get("containerOverrides", [])}
        assert named <= {container(stack(), definition_of(call))["Name"]}


ARGUMENTS = ("--cluster", "--launch-type", "--task-definition")


def _camel(option: str) -> str:
    first, *others = option.removeprefix("--").split("-")
    return first + "".join(map(str.capitalize, others))


def test_every_command_is_shown_with_the_role_that_it_needs(calls: list[Call]) -> None:
    shown = set()
    for call in tasks(calls):
        words = words_of(call)
        given = _parser().parse_args(words)  # exits where the command does not take them
        role = call.overrides.get(
            "taskRoleArn", stack().resources[definition_of(call)]["TaskRoleArn"]
        )
        expected = ROLES[given.command]
        assert role == (OPERATE_ROLE if expected == "OperateRole" else f"<{expected}.Arn>")
        if expected != "CheckRole":  # somebody will paste the whole of it
            assert given.dry_run
        shown.add(given.command)
    assert shown == ROLES.keys()


def test_the_role_is_asked_for_where_the_stack_tells_it(calls: list[Call]) -> None:
    (asked,) = (call for call in calls if call.words[0] == "cloudformation")
    assert asked.options["--stack-name"] == PSEUDO["AWS::StackName"]
    output = re.search(r"OutputKey=='(\w+)'", asked.options["--query"])
    assert output is not None
    assert template()["Outputs"][output[1]]["Value"] == {"!GetAtt": "OperateRole.Arn"}


def test_what_a_command_said_is_looked_for_where_it_is_logged(calls: list[Call]) -> None:
    looks = [call for call in calls if call.words == ("logs", "tail")]
    for call, look in zip(tasks(calls), looks, strict=True):
        definition = container(stack(), definition_of(call))
        log = definition["LogConfiguration"]["Options"]
        assert look.options[""] == log["awslogs-group"]
        stream = f"{log['awslogs-stream-prefix']}/{definition['Name']}/0f1e2d"
        assert look.options["--log-stream-names"] == stream


@pytest.mark.parametrize("command", ["leases", "gaps"])
def test_a_look_needs_no_more_than_the_role_of_check(
    command: str, ministack: AwsProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = f"looked-at-{command}"
    for name, value in ministack.environment().items():
        monkeypatch.setenv(name, value)
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    boto3.client("dynamodb", **keys).create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=stack().resources["LeaseTable"]["AttributeDefinitions"],
        KeySchema=stack().resources["LeaseTable"]["KeySchema"],
    )
    asked: set[str] = set()
    original = AioBaseClient._make_api_call

    async def noted(self: AioBaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        asked.add(f"{self.meta.service_model.service_name}:{operation}")
        return await original(self, operation, parameters)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", noted)
    environ = {
        "CONSUMER_TABLE": "orders",
        "CONSUMER_LEASE_TABLE": table,
        "CONSUMER_NAKADI_URL": "http://127.0.0.1:9",
        "CONSUMER_EVENT_TYPE": "order-store.order",
    }
    assert execute([command], environ) == 0
    (allowed,) = (
        each["Action"]
        for each in statements(stack().resources["CheckRole"])
        if each["Sid"] == "LookAtLeases"
    )
    assert asked
    assert asked <= set(allowed)
