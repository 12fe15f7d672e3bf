import os
import signal
from collections.abc import Iterator

import pytest

from localdev.demo.stop import Stop


@pytest.fixture
def stop() -> Iterator[Stop]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield Stop()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_before_anything_is_to_be_summed_up_interrupts(stop: Stop) -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_later_a_first_signal_asks_and_a_second_one_interrupts(stop: Stop) -> None:
    stop.begin()
    assert not stop.asked
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.asked
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
