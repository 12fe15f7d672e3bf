"""What the server sends, byte by byte."""

from __future__ import annotations

import gzip
import json
import time
from contextlib import closing
from typing import TYPE_CHECKING

import boto3
import pytest

from localdev.streams.process import streams_process
from tests.unit.streams.streams_wire import create_table, post, settings, told

if TYPE_CHECKING:
    from localdev.streams.process import StreamsProcess


def test_headers_and_checksum_of_an_ordinary_answer(server: StreamsProcess, iterator: str) -> None:
    answer = post(server, "GetRecords", ShardIterator=iterator)
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["x-amzn-RequestId"]
    assert answer.headers["Date"].endswith("GMT")
    assert answer.crc_fits
    assert b" " not in answer.body.partition(b'"NewImage"')[0]


def test_gzip_is_for_those_who_accept_it_and_the_checksum_is_of_the_compressed(
    server: StreamsProcess, iterator: str
) -> None:
    plain = post(server, "GetRecords", ShardIterator=iterator, Limit=5)
    packed = post(server, "GetRecords", encoding="gzip, deflate", ShardIterator=iterator, Limit=5)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.crc_fits
    records = json.loads(gzip.decompress(packed.body))["Records"]
    assert records == json.loads(plain.body)["Records"]
    small = post(server, "ListStreams", encoding="gzip", TableName="no-such-table")
    assert "Content-Encoding" not in small.headers


def test_a_truncated_body_is_shorter_than_its_header_says(
    server: StreamsProcess, iterator: str
) -> None:
    server.control("faults", add=[{"kind": "truncate"}])
    answer = post(server, "GetRecords", ShardIterator=iterator)
    assert (answer.status, len(answer.body)) == (200, answer.length // 2)
    assert not answer.crc_fits


def test_a_cut_body_fits_its_header_and_only_the_checksum_tells(
    server: StreamsProcess, iterator: str
) -> None:
    server.control("faults", add=[{"kind": "cut"}, {"kind": "cut", "crc": False}])
    answer = post(server, "GetRecords", ShardIterator=iterator)
    assert (answer.status, len(answer.body)) == (200, answer.length)
    assert not answer.crc_fits
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)
    assert "x-amz-crc32" not in post(server, "GetRecords", ShardIterator=iterator).headers


def test_a_wrong_checksum_belongs_to_a_whole_body(server: StreamsProcess, iterator: str) -> None:
    server.control("faults", add=[{"kind": "wrong-crc"}])
    answer = post(server, "GetRecords", ShardIterator=iterator)
    assert not answer.crc_fits
    assert json.loads(answer.body)["Records"]


def test_a_plain_error_may_say_that_it_is_gzip(server: StreamsProcess, iterator: str) -> None:
    fault = {"kind": "throttle", "gzip_header": True, "padding": 3000}
    server.control("faults", add=[fault])
    answer = post(server, "GetRecords", encoding="gzip", ShardIterator=iterator)
    assert answer.status == 400
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(answer.body)["__type"].endswith("#ThrottlingException")
    assert len(answer.body) > 3000
    assert answer.crc_fits


def test_a_large_error_is_compressed_like_any_answer(server: StreamsProcess, iterator: str) -> None:
    server.control("faults", add=[{"kind": "throttle", "padding": 3000}])
    answer = post(server, "GetRecords", encoding="gzip", ShardIterator=iterator)
    assert answer.status == 400
    assert json.loads(gzip.decompress(answer.body))["__type"].endswith("#ThrottlingException")


def test_a_slow_answer_is_late_but_whole(server: StreamsProcess, iterator: str) -> None:
    server.control("faults", add=[{"kind": "slow", "seconds": 0.3}])
    asked = time.monotonic()
    answer = post(server, "GetRecords", ShardIterator=iterator)
    assert time.monotonic() - asked >= 0.3
    assert answer.crc_fits


def test_an_emulators_way_of_writing() -> None:
    flags = ("--spaces", "--no-crc", "--no-gzip", "--exponent-times", "--ignore-child-filter")
    with (
        streams_process(*flags) as server,
        closing(boto3.client("dynamodb", **settings(server))) as database,
    ):
        create_table(database, "T", "NEW_IMAGE")
        server.control("fill", records=40)
        stream = told(server)
        asked = {"StreamArn": stream["arn"], "ShardId": stream["shards"][0]["shard"]}
        answer = post(server, "GetShardIterator", ShardIteratorType="TRIM_HORIZON", **asked)
        iterator = json.loads(answer.body)["ShardIterator"]
        page = post(server, "GetRecords", encoding="gzip", ShardIterator=iterator)
        assert page.body.startswith(b'{"Records": [{"eventID": "')
        assert not {"x-amz-crc32", "Content-Encoding"}.intersection(page.headers)
        assert len(json.loads(page.body)["Records"]) == 40
