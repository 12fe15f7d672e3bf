"""A row that cannot be read is named once, then only now and then."""

from consumer.core.leases.reminder import REMIND_SECONDS, Reminder


def test_a_row_is_named_at_once_and_again_after_a_while() -> None:
    reminder = Reminder()
    times = (0.0, 2.0, REMIND_SECONDS - 1, REMIND_SECONDS, REMIND_SECONDS + 2, 2 * REMIND_SECONDS)
    told = [reminder.due("row", "checkpoint", at) for at in times]
    assert told == [True, False, False, True, False, True]


def test_rows_and_attributes_are_told_apart() -> None:
    reminder = Reminder()
    assert reminder.due("row", "checkpoint", 0.0)
    assert reminder.due("row", "leaseCounter", 1.0)
    assert reminder.due("other", "checkpoint", 2.0)
    assert not reminder.due("row", "checkpoint", 3.0)
