"""The template of Lambda agrees with the service: settings, policy, mapping, alarms."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from consumer.commands.iam_given import Function
from consumer.commands.iam_policy import policy
from consumer.core.invocation.batch_answer import Unsettled
from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.event_source_mapping import (
    LambdaTerms,
    read_function,
    read_mapping,
)
from consumer.core.preflight.function_fitness import judge_function
from consumer.core.preflight.mapping import judge_mapping
from consumer.observability.invocation_metrics import InvocationMetrics
from consumer.observability.metrics import Metrics
from consumer.observability.publishing_metrics import PublishingMetrics
from consumer.settings.loading import load_settings
from consumer.settings.routes import routes_of
from consumer.settings.settings import Settings
from tests.ecs.intrinsics import Stack, template
from tests.ecs.template_checks import check_parameters, check_with_cfn_lint

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "lambda/function.yaml"
README = (ROOT / "lambda/README.md").read_text()
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
STREAM = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-11-01T09:30:00.000"
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:token-AbCdEf"  # noqa: S105
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0d1e2f3a"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"
REQUIRED = {
    "StreamArn": STREAM,
    "NakadiUrl": "https://nakadi.example.org",
    "EventType": "order-store.order",
    "CodeBucket": "code",
    "CodeKey": "relay-1.zip",
}
ROUTES = '[{"event_type": "a.b"}, {"event_type": "a.c", "otherwise": true}]'
FUNCTIONS = ("Relay", "Redrive")


def stack(**parameters: str) -> Stack:
    return Stack(TEMPLATE, **REQUIRED | parameters)


def settings_of(made: Stack, function: str = "Relay") -> Settings:
    return load_settings(made.resources[function]["Environment"]["Variables"])


def statements(made: Stack, role: str, name: str) -> list[dict[str, Any]]:
    (found,) = (each for each in made.resources[role]["Policies"] if each["PolicyName"] == name)
    return list(found["PolicyDocument"]["Statement"])


def alarms(made: Stack) -> dict[str, dict[str, Any]]:
    return {n: each for n, each in made.resources.items() if "ComparisonOperator" in each}


def asked_for(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics of an alarm, each with its namespace, name, dimensions and period."""
    if "Metrics" not in alarm:
        return [alarm]
    found = (each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each)
    return [{**each["Metric"], "Period": each["Period"]} for each in found]


def printed_mapping(made: Stack) -> bytes:
    """What `aws lambda get-event-source-mapping` prints of the template's mapping."""
    asked = dict(made.resources["Mapping"])
    function = f"arn:aws:lambda:eu-central-1:123456789012:function:{asked.pop('FunctionName')}"
    asked["State"] = "Enabled" if asked.pop("Enabled") == "true" else "Disabled"
    numbers = {
        name: int(value)
        for name, value in asked.items()
        if isinstance(value, str) and value.isdecimal()
    }
    return json.dumps({**asked, **numbers, "FunctionArn": function}).encode()


def printed_function(made: Stack) -> bytes:
    """What `aws lambda get-function-configuration` prints of the template's function."""
    asked = made.resources["Relay"]
    printed = {
        "FunctionArn": f"arn:aws:lambda:eu-central-1:123456789012:function:{asked['FunctionName']}",
        "Timeout": int(asked["Timeout"]),
        "MemorySize": int(asked["MemorySize"]),
        "Runtime": asked.get("Runtime"),
        "Environment": asked["Environment"],
    }
    return json.dumps(printed).encode()


def judged(made: Stack) -> list[tuple[Severity, str]]:
    """What `consumer check --mapping FILE --function FILE` says."""
    settings = settings_of(made)
    mapping, function = read_mapping(printed_mapping(made)), read_function(printed_function(made))
    terms = LambdaTerms(
        settings.lambda_partial,
        settings.table,
        settings.stream_arn,
        settings.start,
        settings.publish_timeout_seconds,
        settings.dead_letter_queue_url,
        routes_of(settings, ()),
    )
    results = [*judge_mapping(mapping, terms), *judge_function(function, mapping, terms)]
    return [(each.severity, each.result) for each in results]


def test_the_check_of_mappings_has_nothing_against_it() -> None:
    for parameters in (
        {},
        {"TokenSecretArn": SECRET, "Start": "2026-11-01T09:30:00Z"},
        {"EventType": "", "Routes": ROUTES, "Application": "relay"},
        {"ExistingBucket": "bucket-of-old", "ExistingDeadLetterQueue": "letters-of-old"},
        {"ImageUri": "1.dkr.ecr.eu-central-1.amazonaws.com/relay@sha256:1", "CodeBucket": ""},
    ):
        made = stack(**parameters)
        assert {severity for severity, _ in judged(made)} == {Severity.FINE}, parameters


def test_the_check_sees_what_a_parameter_does() -> None:
    doubts = [
        text
        for severity, text in judged(stack(ParallelizationFactor="4"))
        if severity is Severity.DOUBTFUL
    ]
    assert len(doubts) == 1
    assert "ordering key is the partition key" in doubts[0]
    assert (
        Severity.WRONG,
        "it is Disabled: nothing is published, and no alarm of the function says so",
    ) in judged(stack(MappingEnabled="false"))


def test_partial_answers_are_reported_where_the_function_gives_them() -> None:
    made = stack()
    assert settings_of(made).lambda_partial
    assert made.resources["Mapping"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_both_functions_accept_their_settings() -> None:
    made = stack(TokenSecretArn=SECRET)
    settings = settings_of(made)
    assert settings.application == "order-store.order"
    assert settings.stream_arn == STREAM
    assert settings.nakadi_token_secret == SECRET
    assert settings.max_record_age_seconds == 72_000
    assert settings_of(made, "Redrive") == settings
    assert settings_of(stack()).nakadi_token_secret is None
    routed = settings_of(stack(EventType="", Routes=ROUTES, Application="relay"))
    assert (routed.application, routed.event_types) == ("relay", ("a.b", "a.c"))


def test_what_is_refused() -> None:
    assert stack().refused == []
    assert stack(EventType="").refused == ["One of EventType and Routes is needed."]
    assert stack(Routes=ROUTES).refused == [
        "Only one of EventType and Routes can be given.",
        "Routes need Application.",
    ]
    assert stack(CodeKey="").refused == ["CodeBucket and CodeKey, or ImageUri, are needed."]


@pytest.mark.parametrize(
    "given", [{}, {"ExistingBucket": "old", "ExistingDeadLetterQueue": "letters"}]
)
@pytest.mark.parametrize("token", ["", SECRET])
def test_the_roles_allow_what_the_command_prints_and_nothing_else(
    given: dict[str, str], token: str
) -> None:
    made = stack(TokenSecretArn=token, **given)
    settings = settings_of(made)
    bucket = given.get("ExistingBucket", "order-relay-thrownaway-1a2b3c")
    function = Function(bucket, "/aws/lambda/order-relay")
    expected = policy(settings, "lambda", {}, function)
    assert statements(made, "RelayRole", "Relay") == expected
    (log,) = (each for each in expected if each["Sid"] == "WriteLog")
    assert statements(made, "RedriveRole", "Redrive") == [*policy(settings, "redrive"), log]
    for role in ("RelayRole", "RedriveRole"):
        assert len(made.resources[role]["Policies"]) == 1
        assert "ManagedPolicyArns" not in made.resources[role]
    for name in FUNCTIONS:
        assert made.resources[name]["Role"] == f"<{name}Role.Arn>"
        assert made.resources[name]["LoggingConfig"]["LogGroup"] == "/aws/lambda/order-relay"


def test_rights_that_only_some_need() -> None:
    made = stack(
        TokenSecretArn=SECRET, TokenKeyArn=KEY, Subnets="subnet-1,subnet-2", SecurityGroups="sg-1"
    )
    for name in FUNCTIONS:
        (decrypt,) = statements(made, f"{name}Role", "DecryptToken")
        assert (decrypt["Action"], decrypt["Resource"]) == ("kms:Decrypt", KEY)
        (use,) = statements(made, f"{name}Role", "UseVpc")
        assert all(action.startswith("ec2:") for action in use["Action"])
        assert made.resources[name]["VpcConfig"]["SecurityGroupIds"] == "sg-1"
    assert "VpcConfig" not in stack().resources["Relay"]


def test_handlers_are_functions_of_ours() -> None:
    from consumer import aws_lambda

    image = stack(ImageUri="image", CodeBucket="", CodeKey="")
    for name in FUNCTIONS:
        module, _, function = stack().resources[name]["Handler"].rpartition(".")
        assert module == aws_lambda.__name__
        assert callable(getattr(aws_lambda, function))
        assert stack().resources[name]["PackageType"] == "Zip"
        made = image.resources[name]
        assert made["ImageConfig"]["Command"] == [f"{module}.{function}"]
        assert made["Code"] == {"ImageUri": "image"}
        assert not made.keys() & {"Handler", "Runtime"}


def test_a_redrive_is_alone_is_not_repeated_and_is_off() -> None:
    made = stack().resources
    assert made["Redrive"]["ReservedConcurrentExecutions"] == 1
    assert made["RedriveInvocations"]["MaximumRetryAttempts"] == 0
    timer = made["RedriveTimer"]
    assert (timer["State"], timer["ScheduleExpression"]) == ("DISABLED", "rate(1 day)")
    assert timer["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 0}
    assert json.loads(timer["Target"]["Input"]) == {}
    assert not [each for each in made.values() if "arn:aws:sqs" in str(each.get("EventSourceArn"))]


def test_what_stays_when_the_stack_goes() -> None:
    read = template(TEMPLATE)["Resources"]
    kept = {n for n, each in read.items() if each.get("DeletionPolicy") == "RetainExceptOnCreate"}
    assert kept == {"DeadLetters", "ThrownAway"}
    old = stack(ExistingBucket="old", ExistingDeadLetterQueue="letters").resources
    assert not old.keys() & {"DeadLetters", "DeadLettersPolicy", "ThrownAway", "ThrownAwayPolicy"}
    queue = stack().resources["DeadLetters"]
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert "RedrivePolicy" not in queue


def test_alarms_ask_for_metrics_that_are_written() -> None:
    made = stack(AlarmTopicArn=TOPIC, SilentMinutes="60")
    settings = settings_of(made)
    metrics = Metrics()
    PublishingMetrics(metrics, "order-store.order")
    told = InvocationMetrics(settings.cloudwatch_namespace, settings.application, metrics)
    with capture_logs() as logs:
        told.tell(Unsettled("1", 3, 0.0), 0.0, 10.0)
    found = alarms(made)
    asked = [metric for each in found.values() for metric in asked_for(each)]
    own = [each for each in asked if each["Namespace"] == settings.cloudwatch_namespace]
    assert len(own) == 4
    for each in own:
        assert each["MetricName"] in logs[0]
        assert each["Dimensions"] == [{"Name": "Application", "Value": logs[0]["Application"]}]
    of_aws = {
        (each["Namespace"], each["MetricName"], *(one["Name"] for one in each["Dimensions"]))
        for each in asked
        if each not in own
    }
    assert of_aws == {
        ("AWS/Lambda", "IteratorAge", "FunctionName"),
        ("AWS/Lambda", "Errors", "FunctionName"),
        ("AWS/Lambda", "Throttles", "FunctionName"),
        ("AWS/Lambda", "Invocations", "FunctionName"),
        ("AWS/Lambda", "DestinationDeliveryFailures", "FunctionName"),
        ("AWS/Lambda", "DroppedEventCount", "EventSourceMappingUUID"),
        ("AWS/Lambda", "OnFailureDestinationDeliveredEventCount", "EventSourceMappingUUID"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"),
    }
    assert [each["AlarmActions"] for each in found.values()] == [[TOPIC]] * len(found)
    assert "Silent" not in stack().resources
    silent = found["Silent"]
    assert (silent["EvaluationPeriods"], silent["TreatMissingData"]) == ("60", "breaching")


@pytest.mark.parametrize("name", ["AgeWarning", "AgePage"])
def test_ages_see_a_function_that_settles_all_and_lags_behind(name: str) -> None:
    """Its own metric is then 0; Lambda's is in milliseconds, and tells nothing of what waits."""
    alarm = alarms(stack())[name]
    asked = {each["Id"]: each.get("MetricStat") for each in alarm["Metrics"]}
    assert [each["Id"] for each in alarm["Metrics"] if each["ReturnData"]] == ["age"]
    assert alarm["Metrics"][0]["Expression"] == "MAX([FILL(unsettled, 0), FILL(handed, 0) / 1000])"
    assert {asked["unsettled"]["Stat"], asked["handed"]["Stat"]} == {"Maximum"}
    assert asked["unsettled"]["Metric"]["Namespace"] == "DynamoDbNakadiConsumer"
    assert asked["handed"]["Metric"] == {
        "Namespace": "AWS/Lambda",
        "MetricName": "IteratorAge",
        "Dimensions": [{"Name": "FunctionName", "Value": "order-relay"}],
    }


def test_an_outage_reaches_every_period() -> None:
    """Lambda tries again within a minute, and an invocation waits for twenty seconds."""
    for each in alarms(stack()).values():
        for metric in asked_for(each):
            assert metric["Period"] >= 300 or each["EvaluationPeriods"] == 1, each["AlarmName"]


def test_alarms_are_on_the_page_and_in_the_runbook() -> None:
    found = alarms(stack(SilentMinutes="60"))
    names = {each["AlarmName"].removeprefix("order-relay-") for each in found.values()}
    assert names == set(re.findall(r"^\| `…-([a-z-]+)`", README, re.MULTILINE))
    for each in found.values():
        (chapter,) = re.findall(r"docs/runbook\.md, (\w+)\.", each["AlarmDescription"])
        assert f"\n## {chapter}\n" in RUNBOOK
    chapter = RUNBOOK.split("\n## Lambda\n")[1].split("\n## ")[0]
    for each in found.values():
        if each["AlarmDescription"].endswith("Lambda."):
            assert f"`…{each['AlarmName'].removeprefix('order-relay')}`" in chapter


def test_every_parameter_is_documented() -> None:
    check_parameters(TEMPLATE, README)


def test_cfn_lint_finds_nothing() -> None:
    check_with_cfn_lint(TEMPLATE)
