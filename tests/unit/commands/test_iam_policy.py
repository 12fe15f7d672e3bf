"""The least policy: no action and no resource more than the settings need."""

from __future__ import annotations

import argparse
import io
import json

import pytest

from consumer.commands.iam_given import LOG_GROUP, Files, Function, Touched
from consumer.commands.iam_policy import policy, run
from consumer.errors import Misconfigured
from consumer.settings.settings import Settings

ARN = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/orders/stream/2026-11-01T09:30:00.000"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/210987654321/dead"


def settings(**given: object) -> Settings:
    least: dict[str, object] = {"nakadi_url": "http://localhost", "event_type": "a.b"}
    return Settings.model_validate({**least, **given})


def allowed(purpose: str, **given: object) -> dict[str, set[str]]:
    """Actions by resource."""
    found: dict[str, set[str]] = {}
    for statement in policy(settings(**given), purpose):
        assert statement["Effect"] == "Allow"
        found.setdefault(str(statement["Resource"]), set()).update(statement["Action"])
    return found


def test_run_by_table_looks_the_stream_up() -> None:
    table = "arn:aws:dynamodb:*:*:table/"
    assert allowed("run", table="orders") == {
        f"{table}orders": {"dynamodb:DescribeTable"},
        f"{table}orders/stream/*": {
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
        },
        f"{table}consumer-leases": {
            "dynamodb:CreateTable",
            "dynamodb:DeleteItem",
            "dynamodb:DescribeTable",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "dynamodb:UpdateTimeToLive",
        },
    }


def test_operate_reads_and_leaves_commands_in_the_lease_table() -> None:
    table = "arn:aws:dynamodb:*:*:table/"
    assert allowed("operate", table="orders") == {
        f"{table}orders/stream/*": {"dynamodb:GetShardIterator"},
        f"{table}consumer-leases": {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
    }


def test_a_stream_by_its_arn_names_partition_region_and_account() -> None:
    found = allowed("run", stream_arn=ARN, lease_table="leases", lease_table_create=False)
    leases = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/leases"
    assert found.keys() == {ARN, leases}
    assert not {action for action in found[leases] if "Table" in action or "Time" in action}


@pytest.mark.parametrize(
    ("url", "arn"),
    [
        (QUEUE, "arn:aws:sqs:eu-central-1:210987654321:dead"),
        ("http://127.0.0.1:4566/000000000000/dead", "arn:aws:sqs:*:000000000000:dead"),
        ("http://queue.local/dead", "arn:aws:sqs:*:*:dead"),
    ],
)
def test_dead_letters_may_only_be_sent(url: str, arn: str) -> None:
    assert allowed("run", table="orders", dead_letter_queue_url=url)[arn] == {"sqs:SendMessage"}


@pytest.mark.parametrize(
    ("url", "arn"),
    [
        (
            "https://sqs.cn-north-1.amazonaws.com.cn/210987654321/dead",
            "arn:aws-cn:sqs:cn-north-1:210987654321:dead",
        ),
        (
            "https://sqs-fips.us-gov-west-1.amazonaws.com/210987654321/dead",
            "arn:aws-us-gov:sqs:us-gov-west-1:210987654321:dead",
        ),
        (
            "https://vpce-0a-1b.sqs.us-gov-east-1.vpce.amazonaws.com/210987654321/dead",
            "arn:aws-us-gov:sqs:us-gov-east-1:210987654321:dead",
        ),
        (
            "https://sqs.eu-central-1.api.aws/210987654321/dead",
            "arn:aws:sqs:eu-central-1:210987654321:dead",
        ),
    ],
)
def test_the_address_of_the_queue_tells_the_partition_of_everything(url: str, arn: str) -> None:
    found = allowed("run", table="orders", dead_letter_queue_url=url)
    partition = arn.split(":")[1]
    assert arn in found
    assert all(each.startswith(f"arn:{partition}:") for each in found)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-central-1", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_the_region_tells_the_partition_of_a_table(region: str, partition: str) -> None:
    """Not the region: it may be that of the shell, and the policy for another one."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        made = policy(settings(table="orders"), "operate", {name: region})
        assert {str(each["Resource"]) for each in made} == {
            f"arn:{partition}:dynamodb:*:*:table/orders/stream/*",
            f"arn:{partition}:dynamodb:*:*:table/consumer-leases",
        }


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        ({}, "cn-north-1:123456789012"),
        ({"AWS_ACCOUNT_ID": "210987654321"}, "cn-north-1:210987654321"),
        ({"AWS_REGION": "cn-northwest-1"}, "cn-northwest-1:123456789012"),
        ({"AWS_DEFAULT_REGION": "cn-northwest-1"}, "cn-northwest-1:123456789012"),
        (
            {"AWS_REGION": "cn-north-1", "AWS_DEFAULT_REGION": "us-east-1"},
            "cn-north-1:123456789012",
        ),
        ({"AWS_REGION": "", "AWS_ACCOUNT_ID": ""}, "cn-north-1:123456789012"),
    ],
)
def test_the_lease_table_is_in_the_account_and_region_of_the_service(
    environ: dict[str, str], where: str
) -> None:
    """The stream may be another account's, which a policy of the stream's allows."""
    made = policy(settings(stream_arn=ARN), "operate", environ)
    assert [each["Resource"] for each in made] == [
        ARN,
        f"arn:aws-cn:dynamodb:{where}:table/consumer-leases",
    ]


def test_preview_reads_the_stream_and_nothing_else() -> None:
    found = allowed("preview", stream_arn=ARN, dead_letter_queue_url=QUEUE)
    assert found == {
        ARN: {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
    }
    by_table = allowed("preview", table="orders")
    assert by_table["arn:aws:dynamodb:*:*:table/orders"] == {"dynamodb:DescribeTable"}
    assert len(by_table) == 2


def test_republish_reads_items_and_writes_nothing() -> None:
    reads = ("BatchGetItem", "DescribeTable", "Query", "Scan")
    actions = {f"dynamodb:{action}" for action in reads}
    found = allowed("republish", table="orders", dead_letter_queue_url=QUEUE)
    assert found == {"arn:aws:dynamodb:*:*:table/orders": actions}
    table = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/orders"
    assert allowed("republish", stream_arn=ARN) == {table: actions}


def test_snapshot_reads_the_table_and_shares_the_work_by_rows() -> None:
    found = allowed("snapshot", table="orders", lease_table="leases", dead_letter_queue_url=QUEUE)
    reads, rows = ("BatchGetItem", "DescribeTable", "Scan"), ("GetItem", "Query", "UpdateItem")
    assert found == {
        "arn:aws:dynamodb:*:*:table/orders": {f"dynamodb:{action}" for action in reads},
        "arn:aws:dynamodb:*:*:table/leases": {f"dynamodb:{action}" for action in rows},
    }


def test_repair_exports_to_one_place_and_reads_by_keys() -> None:
    given = settings(stream_arn=ARN)
    found = {
        str(statement["Resource"]): set(statement["Action"])
        for statement in policy(given, "repair", {}, Files("backups", "gaps"))
    }
    tables = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/"
    assert found == {
        f"{tables}orders": {
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeTable",
            "dynamodb:ExportTableToPointInTime",
        },
        f"{tables}orders/export/*": {"dynamodb:DescribeExport"},
        "*": {"dynamodb:ListExports"},
        "arn:aws-cn:s3:::backups/gaps/AWSDynamoDB/*": {
            "s3:AbortMultipartUpload",
            "s3:GetObject",
            "s3:PutObject",
            "s3:PutObjectAcl",
        },
        f"{tables}consumer-leases": {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
    }


def test_repair_needs_to_know_the_bucket() -> None:
    environ = {"CONSUMER_TABLE": "orders"}
    given = argparse.Namespace(purpose="repair", bucket="backups", prefix=None)
    out = io.StringIO()
    assert run(given, environ, out) == 0
    assert '"arn:aws:s3:::backups/AWSDynamoDB/*"' in out.getvalue()
    given.bucket = None
    with pytest.raises(Misconfigured, match="--bucket: found nothing"):
        run(given, environ, io.StringIO())


@pytest.mark.parametrize(
    ("purpose", "option", "told"),
    [
        ("run", "keys", "--keys: found it beside --for run, wanted it for touch only"),
        ("run", "bucket", "--bucket: found it beside --for run, wanted it for repair or lambda"),
        ("repair", "log_group", "--log-group: found it beside --for repair, wanted it for lambda"),
        ("lambda", "prefix", "--prefix: found it beside --for lambda, wanted it for repair only"),
    ],
)
def test_an_option_that_the_policy_does_not_need_is_refused(
    purpose: str, option: str, told: str
) -> None:
    given = argparse.Namespace(purpose=purpose, **{option: "x"})
    with pytest.raises(Misconfigured, match=told):
        run(given, {"CONSUMER_TABLE": "orders"}, io.StringIO())


def test_a_touch_writes_one_attribute_and_reads_none_back() -> None:
    given = settings(table="orders", lease_table="leases", touch_attribute="mark")
    found = policy(given, "touch", other=Touched(("pk", "sk")))
    table = "arn:aws:dynamodb:*:*:table/"
    assert [(each["Sid"], each["Resource"]) for each in found] == [
        ("ReadItems", f"{table}orders"),
        ("TouchItems", f"{table}orders"),
        ("LookAtWorkers", f"{table}leases"),
    ]
    reads, touches, looks = found
    assert reads["Action"] == [
        *("dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:Query", "dynamodb:Scan"),
    ]
    assert touches["Action"] == ["dynamodb:UpdateItem"]
    assert looks["Action"] == ["dynamodb:GetItem", "dynamodb:Query"]
    assert touches["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk", "mark"]},
        "Null": {"dynamodb:Attributes": "false"},
        "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
    }
    assert "Condition" not in reads | looks


def test_the_policy_of_a_touch_says_what_cannot_be_shown_here(
    capsys: pytest.CaptureFixture[str],
) -> None:
    environ = {"CONSUMER_TABLE": "orders", "CONSUMER_NAKADI_URL": "http://localhost"}
    out = io.StringIO()
    asked = argparse.Namespace(purpose="touch", keys=" pk, sk ", bucket=None, prefix=None)
    assert run(asked, environ, out) == 0
    assert '"dynamodb:Attributes": [\n            "pk",\n            "sk",' in out.getvalue()
    assert "can be shown on AWS only" in capsys.readouterr().err
    with pytest.raises(Misconfigured, match="--keys: found nothing, wanted the table's key"):
        run(argparse.Namespace(**{**vars(asked), "keys": None}), environ, out)


SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:token-AbCdEf"  # noqa: S105


@pytest.mark.parametrize(
    ("purpose", "asks_nakadi"),
    [
        *dict.fromkeys(("run", "check", "redrive", "republish", "snapshot"), True).items(),
        *dict.fromkeys(("operate", "preview"), False).items(),
    ],
)
def test_who_asks_nakadi_may_read_the_secret(purpose: str, *, asks_nakadi: bool) -> None:
    given = {"table": "orders", "dead_letter_queue_url": QUEUE}
    found = allowed(purpose, **given, nakadi_token_secret=SECRET)
    assert found.pop(SECRET, None) == ({"secretsmanager:GetSecretValue"} if asks_nakadi else None)
    assert found == allowed(purpose, **given)


def test_lambda_reads_the_stream_for_its_mapping_and_never_the_table() -> None:
    given = settings(table="orders", dead_letter_queue_url=QUEUE, nakadi_token_secret=SECRET)
    made = policy(given, "lambda", {}, Function("thrown-away", "/aws/lambda/relay"))
    found = {str(each["Resource"]): set(each["Action"]) for each in made}
    assert len(found) == len(made)
    assert found == {
        "arn:aws:dynamodb:*:*:table/orders/stream/*": {
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        },
        "arn:aws:logs:*:*:log-group:/aws/lambda/relay:*": {
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        },
        "arn:aws:s3:::thrown-away": {"s3:ListBucket"},
        "arn:aws:s3:::thrown-away/*": {"s3:PutObject"},
        "arn:aws:sqs:eu-central-1:210987654321:dead": {"sqs:SendMessage"},
        SECRET: {"secretsmanager:GetSecretValue"},
    }
    least = policy(settings(stream_arn=ARN), "lambda", {}, Function("thrown-away", LOG_GROUP))
    assert [each["Sid"] for each in least] == [
        "ReadStream",
        "WriteLog",
        "FindThrownAway",
        "KeepThrownAway",
    ]
    assert str(least[1]["Resource"]) == (
        "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/aws/lambda/*:*"
    )


def test_lambda_needs_to_know_the_bucket(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"CONSUMER_TABLE": "orders"}
    given = argparse.Namespace(purpose="lambda", bucket="b", log_group="/aws/lambda/*")
    out = io.StringIO()
    assert run(given, environ, out) == 0
    assert '"arn:aws:s3:::b/*"' in out.getvalue()
    assert "AWSLambdaVPCAccessExecutionRole" in capsys.readouterr().err
    given.bucket = None
    with pytest.raises(Misconfigured, match="--bucket: found nothing, wanted the bucket for what"):
        run(given, environ, io.StringIO())


def test_redrive_needs_the_queue_and_nothing_else() -> None:
    found = allowed("redrive", table="orders", dead_letter_queue_url=QUEUE)
    assert found == {
        "arn:aws:sqs:eu-central-1:210987654321:dead": {
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        }
    }
    with pytest.raises(Misconfigured, match="CONSUMER_DEAD_LETTER_QUEUE_URL"):
        policy(settings(table="orders"), "redrive")


def test_check_writes_nothing() -> None:
    found = allowed("check", table="orders", dead_letter_queue_url=QUEUE)
    assert set.union(*found.values()) == {
        "dynamodb:DescribeStream",
        "dynamodb:DescribeTable",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "sqs:GetQueueAttributes",
    }


def test_the_output_is_a_policy_document(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    environ = {
        "CONSUMER_TABLE": "orders",
        "CONSUMER_NAKADI_URL": "http://localhost",
        "CONSUMER_EVENT_TYPE": "a.b",
    }
    assert run(argparse.Namespace(purpose="run"), environ, out) == 0
    document = json.loads(out.getvalue())
    assert document["Version"] == "2012-10-17"
    names = [statement["Sid"] for statement in document["Statement"]]
    assert names == ["FindStream", "ReadStream", "ShareWork"]
    assert "kms:Decrypt" in capsys.readouterr().err


def test_a_policy_needs_neither_nakadi_nor_event_type() -> None:
    for purpose in ("run", "check", "operate"):
        out = io.StringIO()
        assert run(argparse.Namespace(purpose=purpose), {"CONSUMER_TABLE": "orders"}, out) == 0
        assert "table/orders" in out.getvalue()
    with pytest.raises(Misconfigured, match=r"^CONSUMER_TABLE, CONSUMER_STREAM_ARN: found"):
        run(argparse.Namespace(purpose="run"), {}, io.StringIO())
