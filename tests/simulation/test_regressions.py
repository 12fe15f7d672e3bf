"""What the simulator has found, kept found.

A seed stands for something else as soon as a scenario draws something new, so each finding is also
pinned where its scenario is written out: by a test, or by a planted fault that takes the fix out
again (`tests.simulation.mutants`) and must be found. The seeds still run.

| seed | found | pinned by |
|---|---|---|
| 39 | a refused event takes those before it along for ever | refused_event_follows_in_a_run |
| 268, 32, 34 | a cancellation is lost while a group ends | cancellation_swallowed |
| 594 | a worker waits for its dead letters at its end | letters_awaited_at_the_end |
| 36 | an event type stopped at the door never starts again where all is poison | test_flow |
| 908 | the second child of an end is found five minutes later | test_discovery |
| 1994, 365 | a gap met again keeps its old end | test_lease_store, test_shard_consumer |
| 1675, 1626 | a stream counts as read though a child is hidden | one_listing_retires_a_stream |
| 10188, 2378 | a stream gone before its start at LATEST blocks its successor | the seed |
| 21642 | a shard that nobody saw is lost silently | test_discovery |
| 276 | a shard first listed after a day has lost its head silently | test_discovery |
| 17, 1516 | a new stream's first shards are found five minutes late | test_discovery |
| 21724 | a start at LATEST finished by another reads beside an unread grandparent | \
test_discovery |
| 3650 | a gap met again keeps its old end where nothing is left to read | test_lease_store |
| 3901 | what a drain dropped does not age until it is read again | test_watermark |
| 11078, 11783 | who was suspended at its start brings an older stream back | test_discovery |
| 5086, 5254 | a row made without an answer is not told of for a minute | the seed |
| 1525 | what is trimmed while a seek sends its shard back is lost in silence | test_gap |
| 2347 | a row made by who died before he told of it is known to nobody for a minute | \
test_discovery |
| 19227, 19400 | what was revoked shows no age until a release or a command is written | \
test_watermark |
| 40602 | what a stuck worker leaves is as young as its last heartbeat | test_peers |
| 459 | a seek to a time after one to a sequence number skips in silence | test_commands_obeyed |
| 19862 | between the first pages of a shard older than its row, the age is that of the row | \
test_shard_consumer |
| 100333 | the seek of one event type shortens the gap of what the others skip | test_gap |
| 403112 | a start at LATEST takes a shard that is listed before its parent for read | \
test_discovery |
| 408442 | after a drain, a found mark hides what was stored of an event type that it names | \
test_watermark |
| 425056 | a shard cancelled as it loses its lease waits for its checkpoint for ever | \
test_shard_consumer |
| 435051 | the seek of one event type ends the gap of a seek at what that one reads | test_gap |
| 446929 | a stream made known by a worker that does not know the one before takes its place | \
test_lineage, test_table_facts |
| 452792 | what lies behind a stream that is known later than the next one is not told | \
test_table_facts |
| 470343 | after a seek to a number, that of one event type to the oldest record may lose the \
unsettled ones to the retention in silence | test_command |
| 101360 | two streams that are begun at once are both taken for the first | test_discovery |
"""

import re

import pytest

from tests.simulation.mutants.hunt import MUTANTS
from tests.simulation.run import run_seed

ROWS = re.findall(r"^\| ([0-9, ]+) \|.*\|(.*)\|$", __doc__ or "", re.MULTILINE)
SEEDS = sorted({int(seed) for seeds, _ in ROWS for seed in seeds.split(",")})


LATER = (
    *("hold", "seek", "torn", "table_stale", "streams_limits"),
    *("unlisted", "no_filter", "late_end", "no_latest"),
    *("drop", "unfit"),
    *("long_names", "long_pages"),
    *("damaged", "denied"),
    "filter",
    *("seek_type", "one_down", "touch"),
)
"""Kinds that seeds draw since most of these were found; `make simulate` runs those with them."""

WHOLE = 100_000
"""Seeds from here on were found with all kinds."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_found_is_not_found_again(seed: int) -> None:
    result, _ = run_seed(seed, without=LATER if seed < WHOLE else ())
    assert [str(violation) for violation in result.violations] == []


def test_the_planted_faults_named_above_exist() -> None:
    named = {name for _, by in ROWS for name in re.findall(r"[a-z]+_[a-z_]+", by)}
    planted = {name for name in named if not name.startswith("test_")}
    assert len(SEEDS) > 10
    assert planted <= {mutant.__name__ for mutant in MUTANTS}
    assert planted
