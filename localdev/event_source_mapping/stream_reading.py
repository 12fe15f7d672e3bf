"""Reads a stream of the local streams server from TRIM_HORIZON to its present end, as JSON."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any, Final

from localdev.event_source_mapping.lane import Record
from localdev.event_source_mapping.mapping import ShardRecords

_TARGET: Final = "DynamoDBStreams_20120810"
_CALL_SECONDS: Final = 60.0


class StreamReading:
    """One stream of the server at `url`."""

    def __init__(self, url: str, stream_arn: str) -> None:
        self._url = url
        self._arn = stream_arn

    def shards(self) -> list[ShardRecords]:
        """Return all shards that are listed, with their records."""
        listed: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            described = self._call("DescribeStream", StreamArn=self._arn, **after)
            found = described["StreamDescription"]
            listed += found["Shards"]
            if "LastEvaluatedShardId" not in found:
                break
            after = {"ExclusiveStartShardId": found["LastEvaluatedShardId"]}
        return [
            ShardRecords(
                each["ShardId"], each.get("ParentShardId"), [*self._records(each["ShardId"])]
            )
            for each in listed
        ]

    def _records(self, shard: str) -> Iterator[Record]:
        """Yield what the shard holds, as the events of Lambda have it."""
        asked = {
            "StreamArn": self._arn,
            "ShardId": shard,
            "ShardIteratorType": "TRIM_HORIZON",
        }
        iterator = self._call("GetShardIterator", **asked)["ShardIterator"]
        while iterator is not None:
            page = self._call("GetRecords", ShardIterator=iterator)
            for record in page["Records"]:
                yield as_event_record(record, self._arn)
            iterator = page.get("NextShardIterator") if page["Records"] else None

    def _call(self, operation: str, **members: object) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own server
            self._url,
            data=json.dumps(members).encode(),
            headers={
                "X-Amz-Target": f"{_TARGET}.{operation}",
                "Content-Type": "application/x-amz-json-1.0",
            },
        )
        with urllib.request.urlopen(request, timeout=_CALL_SECONDS) as answer:  # noqa: S310 - see above
            found: dict[str, Any] = json.load(answer)
            return found


def as_event_record(record: Record, stream_arn: str) -> Record:
    """Return a record of GetRecords as Lambda gives it to a function.

    Lambda adds the stream, and spells the members of the user identity in lower case.
    """
    found = {**record, "eventSourceARN": stream_arn}
    identity = record.get("userIdentity")
    if isinstance(identity, dict):
        found["userIdentity"] = {f"{name[0].lower()}{name[1:]}": v for name, v in identity.items()}
    return found
