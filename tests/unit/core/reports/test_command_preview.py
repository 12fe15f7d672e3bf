"""What an operator reads before a command is given."""

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, SHARD_END, TRIM_HORIZON
from consumer.core.leases.command import Action, Command
from consumer.core.leases.lease import Lease
from consumer.core.leases.mark import Ahead, Mark
from consumer.core.reports.command_preview import (
    BESIDE,
    FINISHED,
    FORGOTTEN,
    MINUTE,
    PAUSED,
    REPEAT,
    SKIP,
    TO_COME,
    UNREAD,
    preview,
    warnings,
)

NOW = 1793525400.0
BEGUN = Lease("s-1", None, "w-1", 3, "400", created_at=NOW - 9000, record_at=NOW - 600)
DONE = Lease("s-0", None, checkpoint=SHARD_END)
FRESH = Lease("s-2", "s-0", created_at=NOW)
LEASES = (FRESH, DONE, BEGUN)


def seek(target: str) -> Command:
    return Command(1, Action.SEEK, ("s-1", "s-2"), target, NOW, "me", "t")


@pytest.mark.parametrize(
    ("target", "outcomes", "notes"),
    [
        (
            TRIM_HORIZON,
            ["repeats everything that the stream still holds", "stays where it is"],
            (REPEAT, FINISHED),
        ),
        (LATEST, ["skips what is unpublished and older than now"] * 2, (SKIP, MINUTE)),
        (
            "2026-11-01T09:00:00Z",
            [
                "repeats everything since 2026-11-01T09:00:00Z",
                "skips what is unpublished and older than 2026-11-01T09:00:00Z",
            ],
            (REPEAT, SKIP, MINUTE, FINISHED),
        ),
        ("500", ["skips everything up to 500", "skips everything up to 500"], (SKIP,)),
    ],
)
def test_a_seek_says_what_each_shard_repeats_or_skips(
    target: str, outcomes: list[str], notes: tuple[str, ...]
) -> None:
    lines = preview(LEASES, seek(target))
    assert [(line.shard_id, line.outcome) for line in lines] == [
        ("s-1", outcomes[0]),
        ("s-2", outcomes[1]),
    ]
    assert (lines[0].owner, lines[1].owner) == ("w-1", "-")
    assert warnings(LEASES, seek(target)) == notes


def test_an_owner_is_ahead_of_its_row() -> None:
    held = replace(FRESH, owner="w-1", counter=1)
    (line,) = preview((held,), seek(TRIM_HORIZON))
    assert line.outcome == "repeats everything that the stream still holds"
    assert warnings((held,), seek(TRIM_HORIZON)) == (REPEAT,)


def test_a_shard_whose_place_in_time_is_not_known_may_do_both() -> None:
    unknown = replace(BEGUN, record_at=None)
    (line,) = preview((unknown,), seek("2026-11-01T09:00:00Z"))
    assert line.outcome == "begins at 2026-11-01T09:00:00Z, before or after its present position"
    assert warnings((unknown,), seek("2026-11-01T09:00:00Z")) == (REPEAT, SKIP, MINUTE)


def test_only_what_is_meant_is_shown() -> None:
    one = replace(seek("300"), shards=("s-1",))
    assert [line.outcome for line in preview(LEASES, one)] == ["repeats everything behind 300"]


def test_pause_and_resume_say_what_they_change() -> None:
    pause = Command(1, Action.PAUSE, None, None, NOW, "me", "t")
    leases = (replace(BEGUN, paused=True), FRESH)
    assert [line.outcome for line in preview(leases, pause)] == [
        "is already paused",
        "is no longer read",
    ]
    assert warnings(leases, pause) == (PAUSED, TO_COME)
    assert warnings(leases, replace(pause, shards=("s-1",))) == (PAUSED,)
    resume = replace(pause, action=Action.RESUME)
    assert [line.outcome for line in preview(leases, resume)] == ["is read again", "is not paused"]
    assert warnings(leases, resume) == ()


def again(target: str) -> Command:
    shards = ("s-1", "s-2")
    return Command(1, Action.SEEK_EVENT_TYPE, shards, target, NOW, "me", "t", event_type="public")


def test_the_seek_of_an_event_type_says_what_is_repeated() -> None:
    lines = preview(LEASES, again(TRIM_HORIZON))
    assert [line.outcome for line in lines] == [
        "repeats everything that the stream still holds",
        "stays where it is",
    ]
    assert warnings(LEASES, again(TRIM_HORIZON)) == (REPEAT, FINISHED)
    free = replace(BEGUN, owner=None)
    assert warnings((FRESH, free), again("500")) == ()


def test_it_names_others_that_are_behind_as_they_are_repeated_too() -> None:
    down = replace(BEGUN, mark=Mark(Ahead(600, ("audit", "public")), 0))
    told = (REPEAT, BESIDE.format("audit"), FINISHED)
    assert warnings((FRESH, DONE, down), again(TRIM_HORIZON)) == told
    alone = replace(BEGUN, mark=Mark(Ahead(600, ("public",)), 0))
    assert warnings((FRESH, DONE, alone), again(TRIM_HORIZON)) == (REPEAT, FINISHED)


DOWN = replace(BEGUN, mark=Mark(Ahead(600, ("audit",)), 0))
HALF_PAST_EIGHT = NOW - 3600


@pytest.mark.parametrize(
    ("target", "outcome", "notes"),
    [
        (
            "500",
            "skips everything up to 500; repeats the rest up to 600 to those that are ahead",
            (REPEAT, FORGOTTEN.format("audit"), SKIP),
        ),
        (
            "2026-11-01T09:25:00Z",
            (
                "skips what is unpublished and older than 2026-11-01T09:25:00Z;"
                " repeats the rest up to 600 to those that are ahead"
            ),
            (REPEAT, FORGOTTEN.format("audit"), SKIP, MINUTE),
        ),
        ("600", "skips everything up to 600", (SKIP,)),
        (LATEST, "skips what is unpublished and older than now", (SKIP, MINUTE)),
        ("300", "repeats everything behind 300", (REPEAT, FORGOTTEN.format("audit"))),
    ],
)
def test_a_seek_says_what_those_that_are_ahead_get_again(
    target: str, outcome: str, notes: tuple[str, ...]
) -> None:
    forward = replace(seek(target), shards=("s-1",))
    assert [line.outcome for line in preview((DOWN,), forward)] == [outcome]
    assert warnings((DOWN,), forward) == notes


def test_a_seek_to_where_a_shard_is_forgets_who_is_ahead() -> None:
    free = replace(DOWN, owner=None)
    here = replace(seek("400"), shards=("s-1",))
    (line,) = preview((free,), here)
    assert line.outcome == "stays where it is; repeats the rest up to 600 to those that are ahead"
    assert warnings((free,), here) == (REPEAT, FORGOTTEN.format("audit"))


@pytest.mark.parametrize(
    ("lease", "target", "outcome", "notes"),
    [
        (  # the position does not move forward
            DOWN,
            "2026-11-01T09:25:00Z",
            "repeats everything behind 400",
            (REPEAT, BESIDE.format("audit"), MINUTE),
        ),
        (
            BEGUN,
            "2026-11-01T09:00:00Z",
            "repeats everything since 2026-11-01T09:00:00Z",
            (REPEAT, MINUTE),
        ),
        (  # an earlier seek of it began before
            replace(DOWN, checkpoint=TRIM_HORIZON, skip_before=HALF_PAST_EIGHT),
            "2026-11-01T09:00:00Z",
            "repeats everything since 2026-11-01T08:30:00Z",
            (REPEAT, BESIDE.format("audit"), MINUTE),
        ),
        (BEGUN, "300", "repeats everything behind 300", (REPEAT,)),
        (
            BEGUN,
            "500",
            "repeats everything behind 500 if its owner is beyond that by then, else nothing",
            (REPEAT,),
        ),
        (
            replace(BEGUN, checkpoint=LATEST),
            TRIM_HORIZON,
            (
                "repeats everything that the stream still holds if its owner has settled anything"
                " by then, else nothing"
            ),
            (REPEAT,),
        ),
        (replace(BEGUN, checkpoint=LATEST, owner=None), TRIM_HORIZON, "stays where it is", ()),
        (  # for all of them a seek has just gone to half past eight
            replace(FRESH, shard_id="s-1", skip_before=HALF_PAST_EIGHT),
            "2026-11-01T08:00:00Z",
            "stays where it is",
            (UNREAD,),
        ),
    ],
)
def test_the_seek_of_an_event_type_says_where_it_begins(
    lease: Lease, target: str, outcome: str, notes: tuple[str, ...]
) -> None:
    command = replace(again(target), shards=("s-1",))
    assert [line.outcome for line in preview((lease,), command)] == [outcome]
    assert warnings((lease,), command) == notes
