"""DynamoDB Streams for benchmarks: one stream of open shards, served as fast as it can be.

Empty pages are answered until GET /control/open. GET /control/readers says how many shards were
asked for records so far, GET /control/pages how many pages with records were served, GET
/control/requests how often each shard was asked for records. GET /control/writes gives the times of
a live stream's changes by shard, in seconds of the monotonic clock.

python -m tests.benchmarks.stubs.streams_stub SHARDS RECORDS_PER_SHARD [gzip]
python -m tests.benchmarks.stubs.streams_stub live SECONDS CHANGES_A_SECOND_OF_EACH_SHARD...
"""

import sys
import zlib
from email.utils import formatdate
from typing import Any

import orjson

from tests.benchmarks.live_stream import LiveStream
from tests.benchmarks.prepared_stream import (
    STREAM_ARN,
    PreparedStream,
    place,
    sequence,
    shard_id,
)
from tests.benchmarks.stubs.http_stub import Request, Response, serve

SHARDS_PER_PAGE = 100


class StreamsStub:
    def __init__(self, stream: PreparedStream) -> None:
        self._stream = stream
        self._numbers = {shard_id(number): number for number in range(stream.shards)}
        self._requests = [0] * stream.shards
        self._pages = 0
        self._open = False

    def answer(self, request: Request) -> Response:
        match request.path:
            case "/control/open":
                self._stream.open()
                self._open = True
                return Response()
            case "/control/readers":
                return Response(orjson.dumps(sum(map(bool, self._requests))))
            case "/control/requests":
                return Response(orjson.dumps(self._requests))
            case "/control/writes":
                assert isinstance(self._stream, LiveStream)
                return Response(orjson.dumps(self._stream.writes))
            case "/control/pages":
                return Response(orjson.dumps(self._pages))
        asked = orjson.loads(request.body)
        compressed = "gzip" in request.headers.get("accept-encoding", "")
        match request.headers["x-amz-target"].rpartition(".")[2]:
            case "DescribeStream":
                return _response(orjson.dumps(self._describe(asked)))
            case "GetShardIterator":
                return _response(orjson.dumps(self._iterator(asked)))
            case "GetRecords":
                return self._records(asked["ShardIterator"], compressed=compressed)
        return Response(b"{}", 400)

    def _describe(self, asked: dict[str, Any]) -> dict[str, Any]:
        after = asked.get("ExclusiveStartShardId")
        first = self._numbers[after] + 1 if after else 0
        page = range(first, min(first + SHARDS_PER_PAGE, self._stream.shards))
        description = {
            "StreamArn": STREAM_ARN,
            "StreamLabel": STREAM_ARN.rpartition("/")[2],
            "StreamStatus": "ENABLED",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "TableName": "orders",
            "KeySchema": [{"AttributeName": "order_id", "KeyType": "HASH"}],
            "Shards": [],
        }
        if "ShardFilter" in asked:  # nobody has children
            return {"StreamDescription": description}
        description["Shards"] = [
            {
                "ShardId": shard_id(number),
                "SequenceNumberRange": {"StartingSequenceNumber": str(sequence(number, 0))},
            }
            for number in page
        ]
        if page and page[-1] + 1 < self._stream.shards:
            description["LastEvaluatedShardId"] = shard_id(page[-1])
        return {"StreamDescription": description}

    def _iterator(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = self._numbers[asked["ShardId"]]
        match asked["ShardIteratorType"]:
            case "AFTER_SEQUENCE_NUMBER":
                start = place(int(asked["SequenceNumber"]))[1] + 1
            case "LATEST":
                start = self._stream.end(number)
            case _:
                start = 0
        return {"ShardIterator": f"{number}:{start}"}

    def _records(self, iterator: str, *, compressed: bool) -> Response:
        shard, start = map(int, iterator.split(":"))
        self._requests[shard] += 1
        if not self._open or start >= self._stream.end(shard):
            return _response(orjson.dumps({"Records": [], "NextShardIterator": iterator}))
        self._pages += 1
        body = self._stream.compressed(shard, start) if compressed else None
        if body is not None:
            return _response(body, "content-encoding: gzip\r\n")
        return _response(self._stream.page(shard, start))


def _response(body: bytes, more: str = "") -> Response:
    headers = (
        "content-type: application/x-amz-json-1.0\r\n"
        f"x-amz-crc32: {zlib.crc32(body)}\r\ndate: {formatdate(usegmt=True)}\r\n{more}"
    )
    return Response(body, headers=headers)


def _stream(arguments: list[str]) -> PreparedStream:
    if arguments[0] == "live":
        seconds, *rates = map(float, arguments[1:])
        return LiveStream(rates, seconds)
    shards, records, *options = arguments
    return PreparedStream(int(shards), int(records), gzip="gzip" in options)


if __name__ == "__main__":
    serve(StreamsStub(_stream(sys.argv[1:])).answer)
