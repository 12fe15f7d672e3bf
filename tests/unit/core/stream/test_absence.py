from consumer.core.stream.absence import FEWEST_LOOKS, FORGET_SECONDS, GONE_SECONDS, Absence


def test_one_look_in_vain_proves_nothing_however_often_it_is_made_at_once() -> None:
    absence: Absence[str] = Absence()
    assert not any(absence.missed("s", 100.0 + number / 10) for number in range(50))


def test_what_is_missing_in_all_looks_for_half_a_minute_is_gone() -> None:
    absence: Absence[str] = Absence()
    assert [absence.missed("s", at) for at in (100.0, 115.0, 129.9, 130.0)] == [
        False, False, False, True,
    ]  # fmt: skip
    assert GONE_SECONDS == 30.0
    assert len(absence) == 0, "whoever is told so need not ask again"


def test_two_looks_are_too_few() -> None:
    absence: Absence[str] = Absence()
    assert [absence.missed("s", at) for at in (0.0, 60.0, 61.0)] == [False, False, True]
    assert FEWEST_LOOKS == 3


def test_what_was_found_in_between_is_missing_anew() -> None:
    absence: Absence[str] = Absence()
    for at in (0.0, 20.0):
        absence.missed("s", at)
        absence.missed("other", at)
    absence.found("s")
    absence.found("never missed")
    assert [absence.missed("s", at) for at in (31.0, 45.0, 60.0, 61.0)] == [
        False, False, False, True,
    ]  # fmt: skip
    assert absence.missed("other", 61.0)


def test_looks_far_apart_do_not_belong_together() -> None:
    absence: Absence[str] = Absence()
    looks = [absence.missed("s", number * (FORGET_SECONDS + 1)) for number in range(9)]
    assert not any(looks)
    absence.missed("other", 10 * FORGET_SECONDS + 20)
    assert len(absence) == 1, "what nobody looks for any more is forgotten"
