"""When a queue counts as empty."""

from consumer.core.dead_letters.queue_end import QueueEnd


def test_after_two_receptions_without_a_message() -> None:
    end = QueueEnd()
    assert not end.received(0, 0, 0)
    assert end.received(0, 0, 0)


def test_a_message_between_them_starts_anew() -> None:
    end = QueueEnd()
    assert [end.received(messages, messages, 0) for messages in (0, 1, 0)] == [False] * 3
    assert end.received(0, 0, 0)


def test_what_stays_and_comes_back_does_not_end_the_run_too_early() -> None:
    end = QueueEnd()
    assert [end.received(10, 0, 25) for _ in range(5)] == [False] * 5
    assert end.received(10, 0, 25)


def test_news_among_what_stays_start_anew() -> None:
    end = QueueEnd()
    for _ in range(20):
        assert not end.received(10, 0, 5)
        assert not end.received(10, 1, 5)
