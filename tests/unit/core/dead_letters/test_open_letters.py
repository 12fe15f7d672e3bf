"""When the message of a letter with several events may be deleted."""

from consumer.core.dead_letters.open_letters import OpenLetters


def test_a_message_may_be_deleted_once_all_its_events_are_stored() -> None:
    letters = OpenLetters()
    letters.add("m1", 1)
    letters.add("m2", 2)
    assert letters.done("m1") is True
    assert letters.done("m2") is None
    assert letters.done("m2") is True


def test_one_event_that_is_not_stored_keeps_the_message() -> None:
    for events_before in (0, 1):
        letters = OpenLetters()
        letters.add("m", 2)
        if events_before:
            assert letters.done("m") is None
        assert letters.stay("m") is True
        if not events_before:
            assert letters.stay("m") is False
            assert letters.done("m") is None
        assert letters.done("m") is False


def test_what_a_run_left_open_is_forgotten() -> None:
    letters = OpenLetters()
    letters.add("m", 2)
    letters.clear()
    letters.add("m", 1)
    assert letters.done("m") is True
