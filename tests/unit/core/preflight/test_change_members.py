"""What a schema says of the members of `change`."""

from consumer.core.preflight.change_members import (
    OF_CHANGES,
    OF_COMMANDS,
    OF_VIEWS,
    PLACE,
    types_of,
)


def test_each_has_the_type_of_its_values() -> None:
    known = {**PLACE, **OF_CHANGES, **OF_VIEWS, **OF_COMMANDS}
    assert len(known) == sum(map(len, (PLACE, OF_CHANGES, OF_VIEWS, OF_COMMANDS)))
    for name, kind in types_of(known).items():
        assert isinstance(known[name], bool) is (kind == "boolean")
        assert isinstance(known[name], str) is (kind == "string")


def test_the_members_of_a_place_are_as_events_have_them() -> None:
    assert [*PLACE] == ["sequence", "stream"]
    assert len(PLACE["sequence"]) == 40
