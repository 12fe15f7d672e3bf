"""A service that cannot be reached at the start is tried for half a minute, and no longer."""

import pytest

from consumer.errors import Retryable, StreamUnreachable
from consumer.find_stream import patiently
from tests.twins.virtual_time import HalfChance, VirtualClock, run


async def refused() -> None:
    raise Retryable("nobody listens", "unreachable")


def test_after_thirty_seconds_it_is_unreachable() -> None:
    async def main() -> None:
        clock = VirtualClock()
        with pytest.raises(StreamUnreachable, match="the stream could not be reached for 30 s: no"):
            await patiently("the stream", refused, clock, HalfChance())
        assert 30 <= clock.now() < 33

    run(main)


def test_it_goes_on_as_soon_as_it_is_reached() -> None:
    async def main() -> None:
        clock = VirtualClock()

        async def reached_at_last() -> str:
            if clock.now() < 20:
                await refused()
            return "here"

        assert await patiently("the stream", reached_at_last, clock, HalfChance()) == "here"
        assert 20 <= clock.now() < 23

    run(main)
