"""The CloudFormation template agrees with the service: settings, policy, lease table, metrics."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from consumer.adapters.lease_table.lease_rows import APPLICATION, KEY
from consumer.commands.iam_given import Files, Touched
from consumer.commands.iam_policy import policy
from consumer.observability.embedded_metrics import EmbeddedMetrics
from consumer.observability.metrics import Metrics
from consumer.observability.publishing_metrics import PublishingMetrics
from consumer.settings.loading import load_settings
from consumer.settings.settings import Settings
from tests.ecs.intrinsics import PSEUDO, TEMPLATE, Stack, template
from tests.ecs.template_checks import check_parameters, check_with_cfn_lint

ROOT = Path(__file__).parents[2]
README = (ROOT / "ecs/README.md").read_text()
REQUIRED = {
    "TableName": "orders",
    "NakadiUrl": "https://nakadi.example.org",
    "EventType": "order-store.order",
    "Image": "registry.example.org/consumer:1",
    "Cluster": "main",
    "Subnets": "subnet-1,subnet-2",
    "SecurityGroups": "sg-1",
}
SECRETS_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:nakadi-AbCdEf"
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/0d1e2f3a"
ROUTES_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:routes-AbCdEf"
PARAMETER_ARN = "arn:aws:ssm:eu-central-1:123456789012:parameter/order-relay/routes"
TEXTS = dict.fromkeys(
    (ROUTES_ARN, PARAMETER_ARN), '[{"event_type": "a.b"}, {"event_type": "a.c", "otherwise": true}]'
)
EARLIER = {"ExistingLeaseTable": "leases-of-old", "ExistingDeadLetterQueue": "letters-of-old"}
TASKS = ("Task", "RedriveTask", "RepublishTask", "SnapshotTask", "CommandTask")


def stack(**parameters: str) -> Stack:
    return Stack(**REQUIRED | parameters)


def container(made: Stack, task: str) -> dict[str, Any]:
    only: dict[str, Any]
    (only,) = made.resources[task]["ContainerDefinitions"]
    return only


def settings_of(definition: dict[str, Any]) -> Settings:
    environ = {each["Name"]: each["Value"] for each in definition["Environment"]}
    secrets = {
        each["Name"]: TEXTS.get(each["ValueFrom"], "secret") for each in definition["Secrets"]
    }
    return load_settings(environ | secrets)


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    (only,) = role["Policies"]
    return list(only["PolicyDocument"]["Statement"])


def in_this_account(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The command cannot know region and account; the template can."""
    here = f":{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:"
    there: list[dict[str, Any]] = json.loads(json.dumps(made).replace(":*:*:", here))
    return there


def test_the_service_accepts_what_the_task_gives_it() -> None:
    settings = settings_of(container(stack(), "Task"))
    assert settings.application == "order-store.order"
    assert settings.table == "orders"
    assert settings.lease_table == "order-relay-leases"
    assert not settings.lease_table_create
    assert settings.nakadi_token is None
    assert settings.cloudwatch_namespace == "DynamoDbNakadiConsumer"
    assert settings_of(container(stack(Application="mine"), "Task")).application == "mine"
    assert (
        settings_of(container(stack(TokenSecretArn=SECRETS_ARN), "Task")).nakadi_token is not None
    )


def routed(arn: str, **parameters: str) -> Stack:
    """A stack with routes and without an event type."""
    return stack(**{"EventType": "", "RoutesArn": arn, "Application": "relay"} | parameters)


@pytest.mark.parametrize("arn", [ROUTES_ARN, PARAMETER_ARN])
def test_routes_take_the_place_of_the_event_type_in_all_tasks(arn: str) -> None:
    made = routed(arn)
    assert made.refused == []
    for task in TASKS:
        settings = settings_of(container(made, task))
        assert settings.event_type is None
        assert settings.event_types == ("a.b", "a.c")
        assert settings.application == "relay"
    assert [each["Name"] for each in container(stack(), "Task")["Secrets"]] == []


def test_an_event_type_or_routes_with_the_name_of_an_application() -> None:
    assert stack(EventType="").refused == ["One of EventType and RoutesArn is needed."]
    assert routed(ROUTES_ARN, EventType="a.b").refused == [
        "Only one of EventType and RoutesArn can be given."
    ]
    assert routed(ROUTES_ARN, Application="").refused == ["RoutesArn needs Application."]
    assert stack().refused == []


@pytest.mark.parametrize(
    ("arn", "action"),
    [(ROUTES_ARN, "secretsmanager:GetSecretValue"), (PARAMETER_ARN, "ssm:GetParameters")],
)
def test_ecs_may_read_the_routes_and_nothing_else(arn: str, action: str) -> None:
    read = {"Sid": "ReadRoutes", "Effect": "Allow", "Action": action, "Resource": arn}
    assert statements(routed(arn).resources["ExecutionRole"]) == [read]
    first, decrypt = statements(routed(arn, RoutesKeyArn=KEY_ARN).resources["ExecutionRole"])
    assert (first, decrypt["Action"], decrypt["Resource"]) == (read, "kms:Decrypt", KEY_ARN)
    assert stack(RoutesKeyArn=KEY_ARN).resources["ExecutionRole"]["Policies"] == []
    both = routed(arn, TokenSecretArn=SECRETS_ARN).resources["ExecutionRole"]["Policies"]
    assert [each["PolicyName"] for each in both] == ["ReadToken", "ReadRoutes"]


def test_the_arn_of_routes_has_neither_key_nor_version() -> None:
    pattern = template()["Parameters"]["RoutesArn"]["AllowedPattern"]
    for arn in ("", ROUTES_ARN, PARAMETER_ARN, ROUTES_ARN.replace(":aws:", ":aws-cn:")):
        assert re.fullmatch(pattern, arn), arn
    for arn in (f"{ROUTES_ARN}:routes::", f"{PARAMETER_ARN}:3", KEY_ARN, "routes"):
        assert not re.fullmatch(pattern, arn), arn


@pytest.mark.parametrize("existing", [{}, EARLIER])
def test_all_tasks_have_the_settings_of_the_service(existing: dict[str, str]) -> None:
    made = stack(TokenSecretArn=SECRETS_ARN, **existing)
    settings = settings_of(container(made, "Task"))
    assert settings_of(container(made, "RedriveTask")) == settings
    assert settings_of(container(made, "CommandTask")) == settings
    assert settings_of(container(made, "RepublishTask")) == settings
    assert settings_of(container(made, "SnapshotTask")) == settings
    commands = [container(made, task)["Command"] for task in TASKS]
    assert commands == [["run"], ["redrive"], ["republish"], ["snapshot"], ["check"]]


@pytest.mark.parametrize(
    ("role", "purpose", "task"),
    [
        ("TaskRole", "run", "Task"),
        ("RedriveRole", "redrive", "RedriveTask"),
        ("RepublishRole", "republish", "RepublishTask"),
        ("SnapshotRole", "snapshot", "SnapshotTask"),
        ("CheckRole", "check", "CommandTask"),
        ("OperateRole", "operate", None),
    ],
)
@pytest.mark.parametrize("existing", [{}, EARLIER])
def test_the_roles_allow_what_the_command_prints_and_nothing_else(
    role: str, purpose: str, task: str | None, existing: dict[str, str]
) -> None:
    made = stack(**existing)
    settings = settings_of(container(made, "Task"))
    assert statements(made.resources[role]) == in_this_account(policy(settings, purpose))
    assert "ManagedPolicyArns" not in made.resources[role]
    assert task is None or made.resources[task]["TaskRoleArn"] == f"<{role}.Arn>"


@pytest.mark.parametrize("existing", [{}, EARLIER])
def test_republish_may_touch_where_the_keys_are_named(existing: dict[str, str]) -> None:
    made = stack(TouchKeys="pk,sk", **existing)
    expected = policy(settings_of(container(made, "Task")), "touch", {}, Touched(("pk", "sk")))
    assert statements(made.resources["RepublishRole"]) == in_this_account(expected)


def test_repair_has_a_task_where_a_bucket_is_named() -> None:
    assert not stack().resources.keys() & {"RepairRole", "RepairTask"}
    made = stack(ExportBucket="my-exports")
    settings = settings_of(container(made, "Task"))
    expected = policy(settings, "repair", {}, Files("my-exports"))
    assert statements(made.resources["RepairRole"]) == in_this_account(expected)
    assert made.resources["RepairTask"]["TaskRoleArn"] == "<RepairRole.Arn>"
    task = container(made, "RepairTask")
    assert settings_of(task) == settings
    assert task["Command"] == ["repair"]
    assert not task["ReadonlyRootFilesystem"], "it keeps keys in a temporary file"


def test_ecs_may_decrypt_a_token_that_has_a_key_of_the_customer() -> None:
    assert statements(stack(TokenSecretArn=SECRETS_ARN).resources["ExecutionRole"]) == [
        {
            "Sid": "ReadToken",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": SECRETS_ARN,
        }
    ]
    made = stack(TokenSecretArn=SECRETS_ARN, TokenKeyArn=KEY_ARN)
    _, decrypt = statements(made.resources["ExecutionRole"])
    assert (decrypt["Action"], decrypt["Resource"]) == ("kms:Decrypt", KEY_ARN)
    assert stack(TokenKeyArn=KEY_ARN).resources["ExecutionRole"]["Policies"] == []


def test_a_create_that_fails_leaves_nothing_in_the_way_of_the_next() -> None:
    """What stays has a fixed name, so a Retain that holds for a roll-back blocks every retry."""
    read = template()["Resources"]
    policies = {name: each.get("DeletionPolicy", "Delete") for name, each in read.items()}
    kept = {name for name, policy in policies.items() if policy != "Delete"}
    assert kept == {"LeaseTable", "DeadLetters"}
    assert {policies[name] for name in kept} == {"RetainExceptOnCreate"}


def test_a_stack_goes_on_from_what_an_earlier_one_has_left() -> None:
    made = stack(**EARLIER)
    assert not made.resources.keys() & {"LeaseTable", "DeadLetters", "DeadLettersPolicy"}
    settings = settings_of(container(made, "Task"))
    assert settings.lease_table == "leases-of-old"
    queue = "https://sqs.eu-central-1.amazonaws.com/123456789012/letters-of-old"
    assert settings.dead_letter_queue_url == queue
    for alarm in ("DeadLettersWaiting", "DeadLettersOld"):
        (dimension,) = made.resources[alarm]["Dimensions"]
        assert dimension == {"Name": "QueueName", "Value": "letters-of-old"}
    assert "LeaseTable" in stack(ExistingDeadLetterQueue="letters-of-old").resources
    own = stack().resources
    assert f"`ExistingLeaseTable={own['LeaseTable']['TableName']}" in README
    assert f"ExistingDeadLetterQueue={own['DeadLetters']['QueueName']}`" in README


def test_checkpoints_are_never_without_the_letters_that_they_have_passed() -> None:
    """A create that fails deletes its own new queue, and with it what no checkpoint asks for."""
    assert stack(ExistingLeaseTable="leases-of-old").refused
    for fine in ({}, EARLIER, {"ExistingDeadLetterQueue": "letters-of-old"}):
        assert not stack(**fine).refused


def test_a_task_has_memory_for_its_queue() -> None:
    """As the chart has it, which measured it; the readme has the most for each size."""
    chart = (ROOT / "helm/templates/_pod.tpl").read_text()
    found = re.search(r"add (\d+) .*mulf \S+ ([\d.]+)\)", chart)
    assert found is not None
    base, factor = int(found[1]), float(found[2])
    parameters = template()["Parameters"]
    memory, queue = parameters["Memory"], parameters["QueueBytes"]["Default"]
    assert memory["Default"] >= base + factor * queue / 2**20 + 140  # README.md, "Memory"
    assert memory["Description"] == (
        f"Memory of a task in MiB; at least {base} plus {factor:g} times QueueBytes, and up to 140"
        " more with several routes."
    )
    for size in memory["AllowedValues"]:
        assert f"| {size} | {int((size - base) / factor) * 2**20} |" in README


@pytest.mark.parametrize("seconds", template()["Parameters"]["DrainSeconds"]["AllowedValues"])
def test_a_task_has_ten_seconds_more_than_its_drain(seconds: str) -> None:
    definition = container(stack(DrainSeconds=seconds), "Task")
    assert definition["StopTimeout"] == settings_of(definition).drain_seconds + 10
    assert definition["StopTimeout"] <= 120


def test_a_deployment_never_runs_fewer_workers() -> None:
    service = stack().resources["Service"]
    deployment = service["DeploymentConfiguration"]
    assert deployment["MinimumHealthyPercent"] == 100
    assert deployment["MaximumPercent"] == 200
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert stack().resources["Task"]["RuntimePlatform"]["CpuArchitecture"] == "ARM64"


def test_the_lease_table_is_the_one_that_the_service_would_make() -> None:
    table = stack().resources["LeaseTable"]
    names = [(each["AttributeName"], each["KeyType"]) for each in table["KeySchema"]]
    assert names == [(APPLICATION, "HASH"), (KEY, "RANGE")]
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    assert types == {APPLICATION: "S", KEY: "S"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}


def test_the_queue_keeps_letters_for_fourteen_days_and_serves_no_other_queue() -> None:
    queue = stack().resources["DeadLetters"]
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}


def test_alarms_are_about_metrics_that_the_service_writes() -> None:
    made = stack(AlarmTopicArn=made_topic(), RedriveSchedule="rate(1 day)")
    settings = settings_of(container(made, "Task"))
    metrics = Metrics()
    metrics.iterator_age_seconds.labels(stream="orders/1").set(1)
    metrics.retention_headroom_seconds.labels(stream="orders/1").set(1)
    metrics.stream_enabled.labels(stream="orders/1").set(1)
    PublishingMetrics(metrics, "order-store.order")
    line = EmbeddedMetrics(str(settings.cloudwatch_namespace), settings.application, metrics).line(
        0
    )
    alarms = {n: each for n, each in made.resources.items() if "ComparisonOperator" in each}
    asked = [metric for each in alarms.values() for metric in metrics_of(each)]
    own = [each for each in asked if each["Namespace"] == settings.cloudwatch_namespace]
    assert len(own) == 7
    for metric in own:
        assert metric["MetricName"] in line
        assert metric["Dimensions"] == [{"Name": "Application", "Value": line["Application"]}]
    assert alarms["AgePage"]["TreatMissingData"] == "breaching"
    assert [each["AlarmActions"] for each in alarms.values()] == [[made_topic()]] * len(alarms)
    silent = stack(RedriveSchedule="rate(1 day)").resources.values()
    assert [each["AlarmActions"] for each in silent if "AlarmActions" in each] == (
        [[]] * len(alarms)
    )


def test_a_disabled_stream_is_an_alarm_and_stays_one_when_its_workers_have_ended() -> None:
    alarm = stack().resources["StreamDisabled"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("StreamEnabled", "Minimum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "ignore"


def test_errors_are_compared_with_requests() -> None:
    """As ConsumerPublishErrors: a share, so that a single time-out of a busy hour is no alarm."""
    alarm = stack().resources["PublishErrors"]
    share, *parts = alarm["Metrics"]
    assert share["ReturnData"] is True
    names = {part["Id"]: part["MetricStat"]["Metric"]["MetricName"] for part in parts}
    assert names == {"errors": "PublishErrors", "requests": "PublishRequests"}
    assert {part["MetricStat"]["Stat"] for part in parts} == {"Sum"}
    assert {part["ReturnData"] for part in parts} == {False}
    assert share["Expression"] == "IF(requests > 0, errors / requests, 0)"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0.05)
    assert alarm["EvaluationPeriods"] * parts[0]["MetricStat"]["Period"] == 600
    assert alarm["TreatMissingData"] == "notBreaching"


def test_a_stopped_event_type_is_an_alarm() -> None:
    alarm = stack().resources["EventTypeStopped"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("EventTypeStopped", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["EvaluationPeriods"] * alarm["Period"] == 300


def test_the_pages_count_the_alarms() -> None:
    """Those without a scheduled redrive, by the word and by the row."""
    names = {
        each["AlarmName"].removeprefix("order-relay")
        for each in stack(RedriveSchedule="rate(1 day)").resources.values()
        if "ComparisonOperator" in each
    }
    assert names == {f"-{name}" for name in re.findall(r"^\| `…-([a-z-]+)`", README, re.MULTILINE)}
    assert len(names) == 9
    assert "eight alarms" in " ".join(README.split())
    assert "has eight alarms" in " ".join((ROOT / "docs/runbook.md").read_text().split())


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the one metric of an alarm, or those of its expression."""
    if "MetricName" in alarm:
        return [alarm]
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]


def made_topic() -> str:
    return "arn:aws:sns:eu-central-1:123456789012:alarms"


def test_alarms_name_chapters_of_the_runbook() -> None:
    runbook = (ROOT / "docs/runbook.md").read_text()
    made = stack(RedriveSchedule="rate(1 day)").resources.values()
    texts = [each["AlarmDescription"] for each in made if "AlarmDescription" in each]
    named = {name for text in texts for name in re.findall(r"Consumer\w+", text)}
    assert len(named) == 11
    assert [name for name in named if f"\n## {name}\n" not in runbook] == []


@pytest.mark.parametrize("cluster", ["main", "arn:aws:ecs:eu-central-1:123456789012:cluster/main"])
def test_a_redrive_is_scheduled_only_if_asked_for(cluster: str) -> None:
    by_hand = {"RedriveRole", "RedriveTask"}
    assert {name for name in stack().resources if "Redrive" in name} == by_hand
    timer = stack(RedriveSchedule="rate(1 day)", Cluster=cluster).resources["RedriveTimer"]
    assert timer["ScheduleExpression"] == "rate(1 day)"
    assert timer["Target"]["Arn"] == "arn:aws:ecs:eu-central-1:123456789012:cluster/main"


def test_every_parameter_is_documented() -> None:
    check_parameters(TEMPLATE, README)


def test_cfn_lint_finds_nothing() -> None:
    check_with_cfn_lint(TEMPLATE)
