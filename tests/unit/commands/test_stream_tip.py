"""The tip of a stream, for `consumer preview --live`: what fails is told with its call."""

from __future__ import annotations

from consumer.commands.events.preview import told_of
from consumer.commands.events.stream_tip import StreamTip
from consumer.errors import Retryable
from tests.twins.shard_list import STREAM, ShardListTwin
from tests.twins.virtual_time import run


def test_a_call_that_is_denied_is_told_with_the_rights_that_are_needed() -> None:
    client = ShardListTwin()
    client.open("s-1")
    found: list[StreamTip] = []

    async def main() -> None:
        first = await client.describe_stream(STREAM, None)
        client.failures += [Retryable("GetShardIterator: no right", "access_denied")] * 5
        tip = StreamTip(client, first, lambda _: None, lambda _: None)
        await tip.read(4.0)
        found.append(tip)

    run(main)
    told = told_of(found[0])
    assert told.startswith("access_denied 4 (GetShardIterator: no right); `consumer iam-policy")
    assert "--for preview`" in told
