"""A redrive that fails, or cannot even be started, ends in an alarm."""

import json
from typing import Any

import boto3
import pytest

from localdev.aws.process import AwsProcess
from tests.ecs.test_template import stack, statements

QUEUE = "<FailedRedrives.Arn>"


def ended(exit_code: int | None, **detail: object) -> dict[str, Any]:
    """ECS's word on a task, as far as a rule may look at it."""
    container = {"name": "redrive", "lastStatus": "STOPPED"}
    return {
        "id": "1",
        "account": "123456789012",
        "time": "2026-11-01T09:30:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:ecs:eu-central-1:123456789012:task/main/0f1e2d"],
        "source": "aws.ecs",
        "detail-type": "ECS Task State Change",
        "detail": {
            "group": "family:order-relay-redrive",
            "lastStatus": "STOPPED",
            "stopCode": "EssentialContainerExited",
            "containers": [container if exit_code is None else container | {"exitCode": exit_code}],
            **detail,
        },
    }


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (ended(0), False),
        (ended(1), True),  # letters were refused again
        (ended(2), True),  # a setting
        (ended(137), True),  # out of memory
        (ended(None, stopCode="TaskFailedToStart"), True),  # no image, no secret, no address
        (ended(1, lastStatus="DEPROVISIONING"), False),  # told again when it has stopped
        (ended(1, group="family:order-relay-redrive-two"), False),
        (ended(1, group="family:order-relay-command"), False),
        (ended(1, group="service:order-relay"), False),
    ],
)
def test_the_rule_matches_the_end_of_a_failed_redrive(
    event: dict[str, Any], told: bool, ministack: AwsProcess
) -> None:
    rule = stack(RedriveSchedule="rate(1 day)").resources["RedriveEnd"]
    events = boto3.client(
        "events",
        endpoint_url=ministack.endpoint_url,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the embedded AWS takes any
    )
    answer = events.test_event_pattern(
        EventPattern=json.dumps(rule["EventPattern"]), Event=json.dumps(event)
    )
    assert answer["Result"] is told


def test_both_ways_to_fail_end_in_the_queue_that_the_alarm_looks_at() -> None:
    made = stack(RedriveSchedule="rate(1 day)").resources
    (target,) = made["RedriveEnd"]["Targets"]
    assert target["Arn"] == QUEUE
    assert made["RedriveTimer"]["Target"]["DeadLetterConfig"] == {"Arn": QUEUE}
    (events, _) = made["FailedRedrivesPolicy"]["PolicyDocument"]["Statement"]
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    assert (events["Effect"], events["Action"], events["Resource"]) == (
        "Allow",
        "sqs:SendMessage",
        QUEUE,
    )
    *_, schedule = statements(made["RedriveScheduleRole"])
    assert (schedule["Action"], schedule["Resource"]) == ("sqs:SendMessage", QUEUE)
    alarm = made["RedriveFailed"]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "<FailedRedrives.QueueName>"}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


def test_the_group_of_the_rule_is_that_of_the_redrives() -> None:
    """A task that names no group has that of its family."""
    made = stack(RedriveSchedule="rate(1 day)").resources
    assert made["RedriveEnd"]["EventPattern"]["detail"]["group"] == [
        f"family:{made['RedriveTask']['Family']}"
    ]
    assert "Group" not in made["RedriveTimer"]["Target"]["EcsParameters"]
