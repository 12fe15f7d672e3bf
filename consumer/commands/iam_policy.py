"""`consumer iam-policy`: prints the smallest AWS policy for these settings.

Customer managed KMS keys are not part of the settings: a note on stderr says what they need.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from consumer.core.preflight.queue_fitness import queue_region
from consumer.errors import Misconfigured
from consumer.settings.loading import SOURCE, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.settings.settings import Settings

Statement = dict[str, str | list[str]]

KMS_NOTE = (
    "note: a table or queue that is encrypted with a customer managed key also needs kms:Decrypt"
    " on that key, and kms:GenerateDataKey if it is written to (lease table, queue)"
)
_ARN = re.compile(r"arn:(?P<partition>[^:]+):dynamodb:(?P<region>[^:]*):(?P<account>[^:]*):")
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""By how the names of their regions begin. Credentials of one partition are none in another."""
_ACCOUNT = re.compile(r"[0-9]{12}")
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


@dataclass(frozen=True, slots=True)
class Location:
    """Partition, region and account of resources; `*` where the settings do not say."""

    partition: str = "aws"
    region: str = "*"
    account: str = "*"

    def table(self, name: str) -> str:
        """Return the ARN of a table."""
        return f"arn:{self.partition}:dynamodb:{self.region}:{self.account}:table/{name}"


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print the policy for the purpose of `--for`; return 0. Raise Misconfigured."""
    settings = load_settings(environ, [] if arguments.purpose == "redrive" else [SOURCE])
    files = _files(arguments) if arguments.purpose == "repair" else None
    statements = policy(settings, arguments.purpose, environ, files)
    document = {"Version": "2012-10-17", "Statement": statements}
    out.write(json.dumps(document, indent=2) + "\n")
    sys.stderr.write(KMS_NOTE + "\n")
    return 0


def policy(
    settings: Settings,
    purpose: str,
    environ: Mapping[str, str] = _NOTHING,
    files: Files | None = None,
) -> list[Statement]:
    """Return the statements for a purpose, one of the choices of `--for`; `files` are repair's.

    `environ` may say where the service runs: AWS_REGION, or AWS_DEFAULT_REGION as the SDK calls it,
    and AWS_ACCOUNT_ID. Raise Misconfigured for redrive without a dead letter queue.
    """
    location = _location(settings, environ)
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
        queue = _queue(settings.dead_letter_queue_url, location)
        statements.append(_allow("SendDeadLetters", ["sqs:SendMessage"], queue))
    return statements


def _check(settings: Settings, location: Location) -> list[Statement]:
    statements = [
        *_find_stream(settings, location),
        _allow("LookAtStream", ["dynamodb:DescribeStream"], _streams(settings, location)),
        _allow("LookAtLeases", _LOOK, location.table(settings.lease_table)),
    ]
    if settings.dead_letter_queue_url is not None:
        queue = _queue(settings.dead_letter_queue_url, location)
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


def _redrive(settings: Settings, location: Location) -> list[Statement]:
    if settings.dead_letter_queue_url is None:
        raise Misconfigured(
            "CONSUMER_DEAD_LETTER_QUEUE_URL: found nothing, wanted the queue that redrive empties"
        )
    queue = _queue(settings.dead_letter_queue_url, location)
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


def _queue(url: str, location: Location) -> str:
    """Return the ARN of a queue from its URL, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.

    What the URL does not say is taken from the location.
    """
    *_, account, name = ["", "", *urlsplit(url).path.split("/")]
    return ":".join(
        (
            f"arn:{location.partition}:sqs",
            queue_region(url) or location.region,
            account if _ACCOUNT.fullmatch(account) else location.account,
            name,
        )
    )


def _location(settings: Settings, environ: Mapping[str, str]) -> Location:
    """Return where the service has its lease table, as far as the settings say it.

    The stream of an ARN may belong to another account. Without an ARN region and account stay `*`:
    those of the environment may be the operator's, and only the partition is sure to be the same.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    match = _ARN.match(settings.stream_arn or "")
    if match is None:
        queue = queue_region(settings.dead_letter_queue_url or "")
        return Location(_partition(queue or region or ""))
    stream = Location(**match.groupdict())
    account = environ.get("AWS_ACCOUNT_ID")
    return Location(stream.partition, region or stream.region, account or stream.account)


def _partition(region: str) -> str:
    beginnings = (begin for begin in _PARTITIONS if region.startswith(begin))
    return _PARTITIONS.get(next(beginnings, ""), "aws")


def _allow(name: str, actions: list[str], resource: str) -> Statement:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resource}
