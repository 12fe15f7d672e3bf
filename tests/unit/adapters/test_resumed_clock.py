"""A clock that counts the time for which its process stood still."""

from consumer.adapters.resumed_clock import ResumedClock


class Machine:
    def __init__(self) -> None:
        self.seconds, self.time = 5.0, 1_000.0

    def now(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.time += seconds


async def test_what_only_the_wall_clock_has_counted_is_counted() -> None:
    machine = Machine()
    clock = ResumedClock(machine)
    await clock.sleep(1)
    assert (clock.now(), clock.wall()) == (6, 1_001)
    clock.pause()
    machine.time += 100
    machine.seconds += 1
    assert clock.resume() == 100
    assert clock.now() == 106


async def test_what_both_have_counted_is_counted_once() -> None:
    machine = Machine()
    clock = ResumedClock(machine)
    clock.pause()
    await machine.sleep(50)
    assert clock.resume() == 50
    assert clock.now() == 55


async def test_a_wall_clock_that_is_set_back_changes_nothing() -> None:
    machine = Machine()
    clock = ResumedClock(machine)
    clock.pause()
    machine.seconds, machine.time = 8, 500
    assert clock.resume() == 3
    assert clock.now() == 8
