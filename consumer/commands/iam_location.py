"""Where the things of a policy are: the ARNs that the settings, or the environment, tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from consumer.core.preflight.queue_fitness import queue_region

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.settings.settings import Settings

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


class Location(Struct, frozen=True):
    """Partition, region and account of resources; `*` where the settings do not say."""

    partition: str = "aws"
    region: str = "*"
    account: str = "*"

    def table(self, name: str) -> str:
        """Return the ARN of a table."""
        return f"arn:{self.partition}:dynamodb:{self.region}:{self.account}:table/{name}"


def table_arn(settings: Settings, location: Location) -> str:
    """Return the ARN of the table, also where the stream alone is given."""
    if settings.table is None:
        return str(settings.stream_arn).partition("/stream/")[0]
    return location.table(settings.table)


def streams_arn(settings: Settings, location: Location) -> str:
    """Return the ARN of the stream, or a pattern for all streams that the table ever gets."""
    return settings.stream_arn or f"{location.table(str(settings.table))}/stream/*"


def queue_arn(url: str, location: Location) -> str:
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


def location_of(settings: Settings, environ: Mapping[str, str]) -> Location:
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
