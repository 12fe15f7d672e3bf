"""`consumer iam-policy`: prints the smallest AWS policy for these settings.

Customer managed KMS keys are not part of the settings: a note on stderr says what they need.
"""

from __future__ import annotations

import json
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING

from consumer.commands.iam_given import Files, Function, Given, Touched, given
from consumer.commands.iam_location import (
    Location,
    location_of,
    queue_arn,
    streams_arn,
    table_arn,
)
from consumer.errors import Misconfigured
from consumer.settings.loading import SOURCE, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.settings.settings import Settings

Condition = dict[str, dict[str, str | list[str]]]
Statement = dict[str, str | list[str] | Condition]

KMS_NOTE = (
    "note: a table, queue, secret or bucket that is encrypted with a customer managed key also"
    " needs kms:Decrypt on that key, and kms:GenerateDataKey if it is written to (lease table,"
    " queue, bucket)"
)
TOUCH_NOTE = (
    "note: whether DynamoDB honours these conditions of TouchItems can be shown on AWS only: try it"
    " with `aws dynamodb update-item` on another attribute, which must be denied"
)
VPC_NOTE = "note: a function in a VPC also needs the rights of AWSLambdaVPCAccessExecutionRole"
_STREAM = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
_MAPPED = [*_STREAM, "dynamodb:ListStreams"]
_WRITE_LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]
_ITEMS = [
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
]
_CREATE = ["dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:UpdateTimeToLive"]
_LOOK = ["dynamodb:GetItem", "dynamodb:Query"]
_READ_ITEMS = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:Query", "dynamodb:Scan"]
_SCAN_ITEMS = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:Scan"]
_SHARE_SNAPSHOT = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"]
_READ_KEYS = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable"]
_EXPORT = ["dynamodb:DescribeContinuousBackups", "dynamodb:ExportTableToPointInTime"]
_EXPORT_FILES = [
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:PutObject",
    "s3:PutObjectAcl",
]
_COMMAND = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
_REDRIVE = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
]


_WITHOUT_TOKEN = frozenset({"operate", "preview"})
"""These ask nothing of Nakadi."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print the policy for the purpose of `--for`; return 0. Raise Misconfigured."""
    settings = load_settings(environ, [] if arguments.purpose == "redrive" else [SOURCE])
    statements = policy(settings, arguments.purpose, environ, given(arguments))
    document = {"Version": "2012-10-17", "Statement": statements}
    out.write(json.dumps(document, indent=2) + "\n")
    sys.stderr.write(KMS_NOTE + "\n")
    if arguments.purpose == "touch":
        sys.stderr.write(TOUCH_NOTE + "\n")
    if arguments.purpose == "lambda":
        sys.stderr.write(VPC_NOTE + "\n")
    return 0


def policy(
    settings: Settings,
    purpose: str,
    environ: Mapping[str, str] = _NOTHING,
    other: Given | None = None,
) -> list[Statement]:
    """Return the statements for a purpose, one of the choices of `--for`.

    `other` is what the settings do not name: the files of repair, the keys of touch, or the
    function of lambda.

    `environ` may say where the service runs: AWS_REGION, or AWS_DEFAULT_REGION as the SDK calls it,
    and AWS_ACCOUNT_ID. Raise Misconfigured for redrive without a dead letter queue.
    """
    location = location_of(settings, environ)
    token = [] if purpose in _WITHOUT_TOKEN else _token(settings)
    return [*_statements(settings, purpose, location, other), *token]


def _statements(
    settings: Settings, purpose: str, location: Location, other: Given | None
) -> list[Statement]:
    match purpose, other:
        case "run", _:
            return _run(settings, location)
        case "check", _:
            return _check(settings, location)
        case "operate", _:
            return _operate(settings, location)
        case "preview", _:
            return [
                *_find_stream(settings, location),
                _allow("ReadStream", _STREAM, streams_arn(settings, location)),
            ]
        case "republish", _:
            return [_allow("ReadItems", _READ_ITEMS, table_arn(settings, location))]
        case "snapshot", _:
            return _snapshot(settings, location)
        case "repair", Files():
            return _repair(settings, location, other)
        case "touch", Touched():
            return _touch(settings, location, other)
        case "lambda", Function():
            return _lambda(settings, location, other)
        case _:
            return _redrive(settings, location)


def _run(settings: Settings, location: Location) -> list[Statement]:
    actions = _ITEMS + _CREATE if settings.lease_table_create else _ITEMS
    statements = [
        *_find_stream(settings, location),
        _allow("ReadStream", _STREAM, streams_arn(settings, location)),
        _allow("ShareWork", actions, location.table(settings.lease_table)),
    ]
    if settings.dead_letter_queue_url is not None:
        queue = queue_arn(settings.dead_letter_queue_url, location)
        statements.append(_allow("SendDeadLetters", ["sqs:SendMessage"], queue))
    return statements


def _check(settings: Settings, location: Location) -> list[Statement]:
    statements = [
        *_find_stream(settings, location),
        _allow("LookAtStream", ["dynamodb:DescribeStream"], streams_arn(settings, location)),
        _allow("LookAtLeases", _LOOK, location.table(settings.lease_table)),
    ]
    if settings.dead_letter_queue_url is not None:
        queue = queue_arn(settings.dead_letter_queue_url, location)
        statements.append(_allow("LookAtDeadLetters", ["sqs:GetQueueAttributes"], queue))
    return statements


def _operate(settings: Settings, location: Location) -> list[Statement]:
    """Return the statements for `leases`, `gaps`, `seek`, `pause` and `resume`.

    A transaction needs the permissions of its parts, and none of its own.
    """
    return [
        _allow("FindPlaceInStream", ["dynamodb:GetShardIterator"], streams_arn(settings, location)),
        _allow("CommandWorkers", _COMMAND, location.table(settings.lease_table)),
    ]


def _snapshot(settings: Settings, location: Location) -> list[Statement]:
    """Return the statements for `snapshot`: it reads the table, and shares the work by rows."""
    return [
        _allow("ReadItems", _SCAN_ITEMS, table_arn(settings, location)),
        _allow("ShareSnapshot", _SHARE_SNAPSHOT, location.table(settings.lease_table)),
    ]


def _redrive(settings: Settings, location: Location) -> list[Statement]:
    if settings.dead_letter_queue_url is None:
        raise Misconfigured(
            "CONSUMER_DEAD_LETTER_QUEUE_URL: found nothing, wanted the queue that redrive empties"
        )
    queue = queue_arn(settings.dead_letter_queue_url, location)
    return [_allow("RedriveDeadLetters", _REDRIVE, queue)]


def _repair(settings: Settings, location: Location, files: Files) -> list[Statement]:
    """Return the statements for `repair`. DynamoDB writes the files with the caller's rights.

    ListExports knows no resource.
    """
    table = table_arn(settings, location)
    objects = f"arn:{location.partition}:s3:::{files.bucket}/"
    prefix = "" if files.prefix is None else f"{files.prefix}/"
    return [
        _allow("ReadItems", [*_READ_KEYS, *_EXPORT], table),
        _allow("FollowExports", ["dynamodb:DescribeExport"], f"{table}/export/*"),
        _allow("FindExports", ["dynamodb:ListExports"], "*"),
        _allow("WriteAndReadExports", _EXPORT_FILES, f"{objects}{prefix}AWSDynamoDB/*"),
        _allow("NoteProgress", _COMMAND, location.table(settings.lease_table)),
    ]


def _touch(settings: Settings, location: Location, touched: Touched) -> list[Statement]:
    """Return the statements for `republish --touch`: it writes one attribute, and reads none back.

    A request that names no attribute is not allowed either: without Null it would be.
    """
    write = _allow("TouchItems", ["dynamodb:UpdateItem"], table_arn(settings, location))
    named = [*touched.keys, settings.touch_attribute]
    conditions: Condition = {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": named},
        "Null": {"dynamodb:Attributes": "false"},
        "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
    }
    return [
        _allow("ReadItems", _READ_ITEMS, table_arn(settings, location)),
        {**write, "Condition": conditions},
        _allow("LookAtWorkers", _LOOK, location.table(settings.lease_table)),
    ]


def _lambda(settings: Settings, location: Location, function: Function) -> list[Statement]:
    """Return the statements for a function and its mapping, which has the function's rights.

    The stream is described once a process at most; the table never is.
    """
    group = f"arn:{location.partition}:logs:{location.region}:{location.account}:log-group"
    bucket = f"arn:{location.partition}:s3:::{function.bucket}"
    statements = [
        _allow("ReadStream", _MAPPED, streams_arn(settings, location)),
        _allow("WriteLog", _WRITE_LOG, f"{group}:{function.log_group}:*"),
        _allow("FindThrownAway", ["s3:ListBucket"], bucket),
        _allow("KeepThrownAway", ["s3:PutObject"], f"{bucket}/*"),
    ]
    if settings.dead_letter_queue_url is not None:
        queue = queue_arn(settings.dead_letter_queue_url, location)
        statements.append(_allow("SendDeadLetters", ["sqs:SendMessage"], queue))
    return statements


def _token(settings: Settings) -> list[Statement]:
    """Return the statement for the secret with the token, if there is one."""
    if settings.nakadi_token_secret is None:
        return []
    action = "secretsmanager:GetSecretValue"
    return [_allow("ReadToken", [action], settings.nakadi_token_secret)]


def _find_stream(settings: Settings, location: Location) -> list[Statement]:
    """Return the statement to find the stream, which is needed only if a table is given."""
    if settings.table is None:
        return []
    return [_allow("FindStream", ["dynamodb:DescribeTable"], location.table(settings.table))]


def _allow(name: str, actions: list[str], resource: str) -> Statement:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resource}
