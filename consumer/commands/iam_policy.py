"""`consumer iam-policy`: the least that an AWS role must be allowed, for these settings.

Keys of a customer (KMS) cannot be known from settings: a note on stderr says what they need.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from consumer.errors import Misconfigured
from consumer.settings.loading import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.settings.settings import Settings

Statement = dict[str, str | list[str]]

KMS_NOTE = (
    "note: what is encrypted with a customer managed key needs kms:Decrypt on that key,"
    " and kms:GenerateDataKey where it is written to (lease table, queue)"
)
_ARN = re.compile(r"arn:(?P<partition>[^:]+):dynamodb:(?P<region>[^:]*):(?P<account>[^:]*):")
_QUEUE_REGION = re.compile(r"sqs(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_ACCOUNT = re.compile(r"\d{12}")
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
_COMMAND = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
_REDRIVE = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where resources live; `*` where the settings do not say."""

    partition: str = "aws"
    region: str = "*"
    account: str = "*"

    def table(self, name: str) -> str:
        """ARN of a table."""
        return f"arn:{self.partition}:dynamodb:{self.region}:{self.account}:table/{name}"


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print the policy of `--for`."""
    settings = load_settings(environ)
    document = {"Version": "2012-10-17", "Statement": policy(settings, arguments.purpose)}
    out.write(json.dumps(document, indent=2) + "\n")
    sys.stderr.write(KMS_NOTE + "\n")
    return 0


def policy(settings: Settings, purpose: str) -> list[Statement]:
    """The statements for one purpose. Misconfigured if there is nothing to allow."""
    place = _place(settings)
    match purpose:
        case "run":
            return _run(settings, place)
        case "check":
            return _check(settings, place)
        case "operate":
            return _operate(settings, place)
        case _:
            return _redrive(settings, place)


def _run(settings: Settings, place: Place) -> list[Statement]:
    actions = _ITEMS + _CREATE if settings.lease_table_create else _ITEMS
    statements = [
        *_find_stream(settings, place),
        _allow("ReadStream", _STREAM, _streams(settings, place)),
        _allow("ShareWork", actions, place.table(settings.lease_table)),
    ]
    if settings.dead_letter_queue_url is not None:
        queue = _queue(settings.dead_letter_queue_url, place)
        statements.append(_allow("SendDeadLetters", ["sqs:SendMessage"], queue))
    return statements


def _check(settings: Settings, place: Place) -> list[Statement]:
    statements = [
        *_find_stream(settings, place),
        _allow("LookAtStream", ["dynamodb:DescribeStream"], _streams(settings, place)),
        _allow("LookAtLeases", _LOOK, place.table(settings.lease_table)),
    ]
    if settings.dead_letter_queue_url is not None:
        queue = _queue(settings.dead_letter_queue_url, place)
        statements.append(_allow("LookAtDeadLetters", ["sqs:GetQueueAttributes"], queue))
    return statements


def _operate(settings: Settings, place: Place) -> list[Statement]:
    """`leases`, `gaps`, `seek`, `pause` and `resume`; a transaction needs what its parts need."""
    return [
        _allow("FindPlaceInStream", ["dynamodb:GetShardIterator"], _streams(settings, place)),
        _allow("CommandWorkers", _COMMAND, place.table(settings.lease_table)),
    ]


def _redrive(settings: Settings, place: Place) -> list[Statement]:
    if settings.dead_letter_queue_url is None:
        raise Misconfigured(
            "CONSUMER_DEAD_LETTER_QUEUE_URL: found nothing, wanted the queue that redrive empties"
        )
    queue = _queue(settings.dead_letter_queue_url, place)
    return [_allow("RedriveDeadLetters", _REDRIVE, queue)]


def _find_stream(settings: Settings, place: Place) -> list[Statement]:
    """Only who is given a table must look its stream up."""
    if settings.table is None:
        return []
    return [_allow("FindStream", ["dynamodb:DescribeTable"], place.table(settings.table))]


def _streams(settings: Settings, place: Place) -> str:
    """A table gets a new stream now and then; a stream given by its ARN stays what it is."""
    return settings.stream_arn or f"{place.table(str(settings.table))}/stream/*"


def _queue(url: str, place: Place) -> str:
    """ARN of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, or what can be read of it."""
    parts = urlsplit(url)
    host = _QUEUE_REGION.fullmatch(parts.hostname or "")
    *_, account, name = ["", "", *parts.path.split("/")]
    return ":".join(
        (
            f"arn:{place.partition}:sqs",
            host[1] if host else place.region,
            account if _ACCOUNT.fullmatch(account) else place.account,
            name,
        )
    )


def _place(settings: Settings) -> Place:
    match = _ARN.match(settings.stream_arn or "")
    return Place(**match.groupdict()) if match else Place()


def _allow(name: str, actions: list[str], resource: str) -> Statement:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resource}
