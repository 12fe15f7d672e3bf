"""boto3 and aiobotocore against the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.session import get_session
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.unit.streams.streams_wire import open_iterator, read_tree, settings, shards, told

if TYPE_CHECKING:
    from localdev.streams.process import StreamsProcess


def test_a_workload_of_boto3_is_read_by_boto3_across_splits(
    server: StreamsProcess, database: Any, streams: Any, table: str, arn: str
) -> None:
    for number in range(40):
        database.put_item(
            TableName=table, Item={"id": {"S": f"k{number % 5}"}, "n": {"N": str(number)}}
        )
        if number % 10 == 9:
            server.control("split", table=table)
    database.update_item(
        TableName=table,
        Key={"id": {"S": "k0"}},
        UpdateExpression="SET #n = :n REMOVE gone",
        ExpressionAttributeNames={"#n": "n"},
        ExpressionAttributeValues={":n": {"N": "40"}},
    )
    database.delete_item(TableName=table, Key={"id": {"S": "k1"}})
    batch = [
        {"PutRequest": {"Item": {"id": {"S": "k2"}, "b": {"B": b"\x00\xff"}}}},
        {"DeleteRequest": {"Key": {"id": {"S": "k3"}}}},
    ]
    assert database.batch_write_item(RequestItems={table: batch})["UnprocessedItems"] == {}

    records = read_tree(streams, arn)
    assert len(records) == 44
    by_key: dict[str, list[Any]] = {}
    for record in records:
        by_key.setdefault(record["dynamodb"]["Keys"]["id"]["S"], []).append(record)
    for key in range(5):
        names = [record["eventName"] for record in by_key[f"k{key}"]]
        assert names[:8] == ["INSERT"] + ["MODIFY"] * 7
        numbers = [record["dynamodb"]["NewImage"]["n"]["N"] for record in by_key[f"k{key}"][:8]]
        assert numbers == [str(key + 5 * turn) for turn in range(8)]
    assert by_key["k0"][8]["dynamodb"]["NewImage"]["n"] == {"N": "40"}
    assert by_key["k1"][8]["eventName"] == "REMOVE"
    assert by_key["k2"][8]["dynamodb"]["NewImage"]["b"] == {"B": b"\x00\xff"}
    assert by_key["k3"][8]["dynamodb"]["OldImage"]["n"] == {"N": "38"}

    truth = told(server, table=table)
    written = [
        (record["eventID"], record["sequence"], record["keys"])
        for shard in truth["shards"]
        for record in shard["records"]
    ]
    read = [
        (record["eventID"], record["dynamodb"]["SequenceNumber"], record["dynamodb"]["Keys"])
        for record in records
    ]
    assert sorted(written, key=str) == sorted(read, key=str)


async def test_aiobotocore_reads_the_same(
    server: StreamsProcess, streams: Any, table: str, arn: str
) -> None:
    server.control("fill", table=table, records=3000, keys=7, remove_every=5)
    server.control("rotate", table=table, shard="all")
    read = []
    async with get_session().create_client("dynamodbstreams", **settings(server)) as client:
        listing = await client.describe_stream(StreamArn=arn)
        assert listing["StreamDescription"]["StreamStatus"] == "ENABLED"
        for shard in listing["StreamDescription"]["Shards"]:
            answer = await client.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )
            iterator = answer["ShardIterator"]
            while iterator is not None:
                page = await client.get_records(ShardIterator=iterator)
                read += [record["eventID"] for record in page["Records"]]
                iterator = page.get("NextShardIterator") if page["Records"] else None
    assert len(set(read)) == len(read) == 3000
    assert sorted(read) == sorted(record["eventID"] for record in read_tree(streams, arn))


async def test_a_body_that_is_too_short_is_an_error_for_aiobotocore(
    server: StreamsProcess, streams: Any, table: str, arn: str
) -> None:
    server.control("fill", table=table, records=50)
    iterator = open_iterator(streams, arn, shards(streams, arn)[0]["ShardId"])
    server.control("faults", add=[{"kind": "truncate"}])
    async with get_session().create_client("dynamodbstreams", **settings(server)) as client:
        with pytest.raises(Exception, match=r"payload|closed|Response"):
            await client.get_records(ShardIterator=iterator)
        assert len((await client.get_records(ShardIterator=iterator))["Records"]) > 0


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("throttle", "ThrottlingException"),
        ("limit-exceeded", "LimitExceededException"),
        ("server-error", "InternalServerError"),
        ("expired", "ExpiredIteratorException"),
        ("trimmed", "TrimmedDataAccessException"),
        ("not-found", "ResourceNotFoundException"),
    ],
)
def test_errors_are_the_clients_own_exceptions(
    server: StreamsProcess, streams: Any, arn: str, kind: str, name: str
) -> None:
    iterator = open_iterator(streams, arn, shards(streams, arn)[0]["ShardId"])
    server.control("faults", add=[{"kind": kind}])
    with pytest.raises(ClientError) as raised:
        streams.get_records(ShardIterator=iterator)
    assert raised.value.response["Error"]["Code"] == name
    if name != "ThrottlingException":  # is in no model of this service
        assert type(raised.value) is getattr(streams.exceptions, name)
    assert raised.value.response["ResponseMetadata"]["RequestId"]


def test_the_services_rules_reach_the_client(
    server: StreamsProcess, database: Any, streams: Any, table: str, arn: str
) -> None:
    server.control("fill", table=table, records=40)
    shard_id = shards(streams, arn)[0]["ShardId"]
    iterator = open_iterator(streams, arn, shard_id)
    sequence = streams.get_records(ShardIterator=iterator)["Records"][0]["dynamodb"][
        "SequenceNumber"
    ]
    trimmed = server.control("trim", table=table, shard=shard_id, up_to=sequence)
    assert trimmed == {"trimmed": 1}
    with pytest.raises(streams.exceptions.TrimmedDataAccessException):
        streams.get_records(ShardIterator=iterator)
    with pytest.raises(streams.exceptions.TrimmedDataAccessException):
        open_iterator(
            streams, arn, shard_id,
            ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=sequence,
        )  # fmt: skip
    server.control("iterators", expire=True)
    with pytest.raises(streams.exceptions.ExpiredIteratorException):
        streams.get_records(ShardIterator=iterator)
    server.control("rotate", table=table, shard=shard_id)
    gone = server.control("age_out", table=table)
    assert gone == {"gone": [shard_id]}
    with pytest.raises(streams.exceptions.ResourceNotFoundException):
        open_iterator(streams, arn, shard_id)
    with pytest.raises(database.exceptions.ResourceNotFoundException):
        database.describe_table(TableName="none")
    with pytest.raises(ClientError, match="UnknownOperationException"):
        database.list_tables()
    with pytest.raises(ClientError, match="ConditionExpression"):
        database.put_item(
            TableName=table, Item={"id": {"S": "k"}}, ConditionExpression="attribute_exists(id)"
        )


def test_a_stream_is_disabled_and_enabled_again(
    database: Any, streams: Any, table: str, arn: str
) -> None:
    answer = database.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    assert answer["TableDescription"]["LatestStreamArn"] == arn
    assert "StreamSpecification" not in answer["TableDescription"]
    described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert described["StreamStatus"] == "DISABLED"
    assert all("EndingSequenceNumber" in s["SequenceNumberRange"] for s in described["Shards"])
    specification = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    answer = database.update_table(TableName=table, StreamSpecification=specification)
    assert answer["TableDescription"]["LatestStreamArn"] != arn
    listed = streams.list_streams(TableName=table)["Streams"]
    assert {stream["StreamArn"] for stream in listed} == {
        arn,
        answer["TableDescription"]["LatestStreamArn"],
    }


def test_a_connection_can_end_before_the_answer(
    server: StreamsProcess, streams: Any, arn: str
) -> None:
    server.control("faults", add=[{"kind": "reset", "operation": "DescribeStream"}])
    with pytest.raises(ConnectionClosedError):
        shards(streams, arn)
    assert len(shards(streams, arn)) == 2
