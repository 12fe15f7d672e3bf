"""docs/platform.md makes what the service expects to find."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from consumer.adapters.lease_table.lease_rows import APPLICATION, KEY
from consumer.cli import execute
from tests.chart.proofs.cluster_proofs import RELEASED
from tests.chart.rendering import RELEASE

PAGE = (Path(__file__).parents[2] / "docs/platform.md").read_text()
ACCOUNTS = re.compile(r"v1 ServiceAccount (\S+):")


def block(language: str, chapter: str = "") -> str:
    """Return the only code in this language, of the chapter if one is named."""
    text = PAGE.partition(f"\n## {chapter}\n")[2].partition("\n## ")[0] if chapter else PAGE
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(found)


def test_the_commands_print_policies_without_a_right_to_create(
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = shlex.split(block("sh"))
    env = dict(word.split("=", 1) for word in words if word.startswith("CONSUMER_"))
    actions: dict[str, set[str]] = {}
    for purpose, more in re.findall(r"--for (\w+)(.*) > \1\.json", block("sh")):
        assert execute(["iam-policy", "--for", purpose, *more.split()], env) == 0
        statements = json.loads(capfd.readouterr().out)["Statement"]
        actions[purpose] = {action for each in statements for action in each["Action"]}
    assert actions.keys() == {
        "run",
        "redrive",
        "check",
        "operate",
        "preview",
        "republish",
        "touch",
        "snapshot",
        "repair",
        "lambda",
    }
    assert actions["operate"] <= actions["run"]  # what the runbook runs by kubectl exec
    assert not actions["check"] <= actions["run"]
    assert not actions["redrive"] <= actions["run"]
    readers = {name for name, each in actions.items() if "dynamodb:BatchGetItem" in each}
    assert readers == {"republish", "touch", "repair", "snapshot"}
    made = {action for each in actions.values() for action in each if "Create" in action}
    assert made == {"logs:CreateLogStream"}  # of the function's own log group
    assert {"dynamodb:GetRecords", "sqs:SendMessage"} <= actions["run"]


def test_terraform_makes_the_lease_table_and_the_roles_of_the_chart() -> None:
    text = re.sub(r" +", " ", block("hcl"))
    assert f'hash_key = "{APPLICATION}"' in text
    assert f'range_key = "{KEY}"' in text
    assert 'attribute_name = "expiresAt"' in text
    names = {
        name.replace("${local.release}", RELEASE)
        for name in re.findall(r'"(\$\{local\.release\}-dynamodb\S*)"', text)
    }
    (released,) = RELEASED.glob("*-identities.yaml")
    assert names == {*ACCOUNTS.findall(released.read_text())}


def test_ack_makes_the_same() -> None:
    table, queue = (each["spec"] for each in yaml.safe_load_all(block("yaml", "ACK")))
    assert [each["attributeName"] for each in table["keySchema"]] == [APPLICATION, KEY]
    assert [each["keyType"] for each in table["keySchema"]] == ["HASH", "RANGE"]
    assert table["timeToLive"] == {"attributeName": "expiresAt", "enabled": True}
    hcl = re.sub(r" +", " ", block("hcl"))
    for theirs, ours in (
        ("message_retention_seconds", "messageRetentionPeriod"),
        ("max_message_size", "maximumMessageSize"),
        ("visibility_timeout_seconds", "visibilityTimeout"),
    ):
        assert f"{theirs} = {queue[ours]}" in hcl
    assert f'name = "{queue["queueName"]}"' in hcl
    assert json.loads(queue["redriveAllowPolicy"]) == {"redrivePermission": "denyAll"}
