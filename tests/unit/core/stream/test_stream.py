"""Streams, shards and what their names say."""

import pytest

from consumer.core.stream.stream import Shard, Stream


@pytest.mark.parametrize("region", ["eu-central-1", "ddblocal"])
def test_table_and_label_are_read_out_of_an_arn(region: str) -> None:
    arn = f"arn:aws:dynamodb:{region}:123:table/orders/stream/2026-11-01T00:00:00.000"
    stream = Stream.from_arn(arn)
    assert (stream.table, stream.label) == ("orders", "2026-11-01T00:00:00.000")
    assert stream.key == "orders/2026-11-01T00:00:00.000"
    assert stream.arn == arn


@pytest.mark.parametrize("text", ["", "orders", "arn:aws:dynamodb:eu:1:table/orders", "arn:aws:s3"])
def test_what_is_no_stream_arn_is_refused_and_named(text: str) -> None:
    with pytest.raises(ValueError, match="not the ARN of a DynamoDB stream") as refusal:
        Stream.from_arn(text)
    assert repr(text) in str(refusal.value)


def test_a_shard_with_an_ending_sequence_number_is_closed() -> None:
    assert Shard("s", None, 5).closed
    assert not Shard("s", None, None).closed
