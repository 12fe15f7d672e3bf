"""The clock of this machine."""

import time

from consumer.adapters.clock import SystemClock


async def test_now_is_the_time_since_boot_and_wall_the_epochs() -> None:
    clock = SystemClock()
    assert abs(clock.wall() - time.time()) < 5
    if hasattr(time, "CLOCK_BOOTTIME"):
        assert abs(clock.now() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5


async def test_sleep_waits_at_least_as_long_as_told() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.02)
    assert clock.now() - before >= 0.019
