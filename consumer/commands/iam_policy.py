"""`consumer iam-policy`: prints the smallest AWS policy for these settings.

Customer managed KMS keys are not part of the settings: a note on stderr says what they need.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from consumer.commands.location import location_of, queue_arn
from consumer.errors import Misconfigured
from consumer.settings.loading import SOURCE, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.commands.location import Location
    from consumer.settings.settings import Settings

Condition = dict[str, dict[str, str | list[str]]]
Statement = dict[str, str | list[str] | Condition]

KMS_NOTE = (
    "note: a table or queue that is encrypted with a customer managed key also needs kms:Decrypt"
    " on that key, and kms:GenerateDataKey if it is written to (lease table, queue)"
)
TOUCH_NOTE = (
    "note: whether DynamoDB honours these conditions of TouchItems can be shown on AWS only: try it"
    " with `aws dynamodb update-item` on another attribute, which must be denied"
)
_STREAM = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
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


_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Files:
    """Where exports are written: a bucket, and the prefix of their keys."""

    bucket: str
    prefix: str | None = None


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print the policy for the purpose of `--for`; return 0. Raise Misconfigured."""
    settings = load_settings(environ, [] if arguments.purpose == "redrive" else [SOURCE])
    files = _files(arguments) if arguments.purpose == "repair" else None
    keys = _keys(arguments) if arguments.purpose == "touch" else ()
    statements = policy(settings, arguments.purpose, environ, files, keys)
    document = {"Version": "2012-10-17", "Statement": statements}
    out.write(json.dumps(document, indent=2) + "\n")
    sys.stderr.write(KMS_NOTE + "\n")
    if keys:
        sys.stderr.write(TOUCH_NOTE + "\n")
    return 0


def policy(
    settings: Settings,
    purpose: str,
    environ: Mapping[str, str] = _NOTHING,
    files: Files | None = None,
    keys: tuple[str, ...] = (),
) -> list[Statement]:
    """Return the statements for a purpose, one of the choices of `--for`; `files` are repair's.

    `keys` are the key attributes of the table, which a touch names beside its own.

    `environ` may say where the service runs: AWS_REGION, or AWS_DEFAULT_REGION as the SDK calls it,
    and AWS_ACCOUNT_ID. Raise Misconfigured for redrive without a dead letter queue.
    """
    location = location_of(settings, environ)
    match purpose:
        case "run":
            return _run(settings, location)
        case "check":
            return _check(settings, location)
        case "operate":
            return _operate(settings, location)
        case "preview":
            return [
                *_find_stream(settings, location),
                _allow("ReadStream", _STREAM, _streams(settings, location)),
            ]
        case "republish":
            return [_allow("ReadItems", _READ_ITEMS, _table(settings, location))]
        case "snapshot":
            return _snapshot(settings, location)
        case "touch":
            return _touch(settings, location, keys)
        case "repair" if files is not None:
            return _repair(settings, location, files)
        case _:
            return _redrive(settings, location)


def _run(settings: Settings, location: Location) -> list[Statement]:
    actions = _ITEMS + _CREATE if settings.lease_table_create else _ITEMS
    statements = [
        *_find_stream(settings, location),
        _allow("ReadStream", _STREAM, _streams(settings, location)),
        _allow("ShareWork", actions, location.table(settings.lease_table)),
    ]
    if settings.dead_letter_queue_url is not None:
        queue = queue_arn(settings.dead_letter_queue_url, location)
        statements.append(_allow("SendDeadLetters", ["sqs:SendMessage"], queue))
    return statements


def _check(settings: Settings, location: Location) -> list[Statement]:
    statements = [
        *_find_stream(settings, location),
        _allow("LookAtStream", ["dynamodb:DescribeStream"], _streams(settings, location)),
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
        _allow("FindPlaceInStream", ["dynamodb:GetShardIterator"], _streams(settings, location)),
        _allow("CommandWorkers", _COMMAND, location.table(settings.lease_table)),
    ]


def _snapshot(settings: Settings, location: Location) -> list[Statement]:
    """Return the statements for `snapshot`: it reads the table, and shares the work by rows."""
    return [
        _allow("ReadItems", _SCAN_ITEMS, _table(settings, location)),
        _allow("ShareSnapshot", _SHARE_SNAPSHOT, location.table(settings.lease_table)),
    ]


def _touch(settings: Settings, location: Location, keys: tuple[str, ...]) -> list[Statement]:
    """Return the statements for `republish --touch`: it writes one attribute, and reads none back.

    A request that names no attribute is not allowed either: without Null it would be.
    """
    write = _allow("TouchItems", ["dynamodb:UpdateItem"], _table(settings, location))
    named = [*keys, settings.touch_attribute]
    conditions: Condition = {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": named},
        "Null": {"dynamodb:Attributes": "false"},
        "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
    }
    return [
        _allow("ReadItems", _READ_ITEMS, _table(settings, location)),
        {**write, "Condition": conditions},
        _allow("LookAtWorkers", _LOOK, location.table(settings.lease_table)),
    ]


def _keys(arguments: argparse.Namespace) -> tuple[str, ...]:
    found = tuple(each.strip() for each in (arguments.keys or "").split(",") if each.strip())
    if not found:
        raise Misconfigured("--keys: found nothing, wanted the table's key attributes, as pk,sk")
    return found


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
    table = _table(settings, location)
    objects = f"arn:{location.partition}:s3:::{files.bucket}/"
    prefix = "" if files.prefix is None else f"{files.prefix}/"
    return [
        _allow("ReadItems", [*_READ_KEYS, *_EXPORT], table),
        _allow("FollowExports", ["dynamodb:DescribeExport"], f"{table}/export/*"),
        _allow("FindExports", ["dynamodb:ListExports"], "*"),
        _allow("WriteAndReadExports", _EXPORT_FILES, f"{objects}{prefix}AWSDynamoDB/*"),
        _allow("NoteProgress", _COMMAND, location.table(settings.lease_table)),
    ]


def _files(arguments: argparse.Namespace) -> Files:
    if arguments.bucket is None:
        raise Misconfigured("--bucket: found nothing, wanted the bucket that repair writes to")
    return Files(arguments.bucket, arguments.prefix)


def _find_stream(settings: Settings, location: Location) -> list[Statement]:
    """Return the statement to find the stream, which is needed only if a table is given."""
    if settings.table is None:
        return []
    return [_allow("FindStream", ["dynamodb:DescribeTable"], location.table(settings.table))]


def _table(settings: Settings, location: Location) -> str:
    """Return the ARN of the table, also where the stream alone is given."""
    if settings.table is None:
        return str(settings.stream_arn).partition("/stream/")[0]
    return location.table(settings.table)


def _streams(settings: Settings, location: Location) -> str:
    """Return the ARN of the stream, or a pattern for all streams that the table ever gets."""
    return settings.stream_arn or f"{location.table(str(settings.table))}/stream/*"


def _allow(name: str, actions: list[str], resource: str) -> Statement:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resource}
