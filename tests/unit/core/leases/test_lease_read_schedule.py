from consumer.core.leases.lease_read_schedule import SPACING_SECONDS, LeaseReadSchedule
from consumer.core.limits import LeaseTiming

TIMING = LeaseTiming(scan=2.0)


def schedule(*, left: bool = False) -> LeaseReadSchedule:
    made = LeaseReadSchedule(TIMING)
    made.begin(99.9)
    made.passed(100.0, "version", "plan", found=True, left=left)
    return made


def test_the_first_pass_is_due_at_once() -> None:
    assert LeaseReadSchedule(TIMING).due_at("version") < 0


def test_undisturbed_the_leases_are_read_every_minute() -> None:
    assert schedule().due_at("version") == 160.0


def test_a_changed_sign_asks_for_a_pass_at_once() -> None:
    assert schedule().due_at("other") == 100.0 + SPACING_SECONDS


def test_what_happens_here_asks_for_a_pass_at_once() -> None:
    made = schedule()
    made.ask()
    assert made.due_at("version") == 100.0 + SPACING_SECONDS


def test_what_happens_during_a_pass_asks_for_another() -> None:
    made = schedule()
    made.begin(109.9)
    made.ask()
    made.passed(110.0, "version", "plan", found=True, left=False)
    assert made.due_at("version") == 110.0 + SPACING_SECONDS


def test_a_pass_that_found_no_lease_does_not_put_the_next_one_off() -> None:
    made = LeaseReadSchedule(TIMING)
    made.begin(100.0)
    made.ask()
    made.passed(100.1, "version", "plan", found=False, left=False)
    assert made.due_at("version") == 100.1


def test_a_long_pass_is_followed_by_as_long_a_pause() -> None:
    made = schedule()
    made.begin(110.0)
    made.ask()
    made.passed(111.5, "version", "plan", found=True, left=False)
    assert made.due_at("version") == 113.0


def test_unfinished_business_backs_off_to_twenty_seconds_while_passes_change_nothing() -> None:
    made, now, waits = schedule(left=True), 100.0, []
    for _ in range(6):
        waits.append(made.due_at("version") - now)
        now = made.due_at("version")
        made.begin(now)
        made.passed(now, "version", "plan", found=True, left=True)
    assert waits == [2.0, 4.0, 8.0, 16.0, 20.0, 20.0]


def test_a_pass_that_changed_something_ends_the_back_off() -> None:
    made = schedule(left=True)
    made.begin(104.0)
    made.passed(104.0, "version", "plan", found=True, left=True)
    assert made.due_at("version") == 108.0
    made.begin(108.0)
    made.passed(108.0, "version", "another plan", found=True, left=True)
    assert made.due_at("version") == 110.0


def test_a_failed_read_is_repeated_after_a_scan_whatever_has_changed() -> None:
    made = schedule()
    made.begin(119.0)
    made.failed(120.0)
    assert made.due_at("version") == 122.0
    assert made.due_at("other") == 122.0
