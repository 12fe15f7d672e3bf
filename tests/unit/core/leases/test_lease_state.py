import re
from pathlib import Path

import pytest

from consumer.core.leases.checkpoint import SHARD_END, UNREADABLE
from consumer.core.leases.lease import Lease
from consumer.core.leases.lease_state import STATUS_WORDS, LeaseState, lease_state

ROOT = Path(__file__).parents[4]
NOBODYS = Lease("s", "p")
OWNED = Lease("s", "p", "w", 1, "5")
ENDED = Lease("s", "p", "w", 1, SHARD_END)
DAMAGED = Lease("s", "p", "w", 1, UNREADABLE, unreadable="checkpoint")


def test_each_state_is_shown_by_its_public_words() -> None:
    assert {state.name: (state.in_status, state.in_command) for state in LeaseState} == {
        "HELD": ("held", "held"),
        "FOREIGN": ("foreign", "held"),
        "FAILING": ("failing", "failing"),
        "SILENT": ("free", "silent"),
        "FREE": ("free", "unowned"),
        "WAITING": ("waiting", "waiting_for_parent"),
        "FINISHED": ("finished", "finished"),
        "UNREADABLE": ("unreadable", "unreadable"),
    }
    assert (
        *("held", "foreign", "failing", "free", "waiting", "finished", "unreadable"),
    ) == STATUS_WORDS


@pytest.mark.parametrize("here", [False, True])
@pytest.mark.parametrize("owner_lives", [False, True])
@pytest.mark.parametrize("ready", [False, True])
def test_a_lease_at_its_end_is_finished(here: bool, owner_lives: bool, ready: bool) -> None:
    state = lease_state(ENDED, here=here, owner_lives=owner_lives, ready=ready, failing=True)
    assert state is LeaseState.FINISHED


@pytest.mark.parametrize(
    ("lease", "here", "owner_lives", "ready", "state"),
    [
        (DAMAGED, True, True, True, LeaseState.HELD),
        (DAMAGED, False, True, True, LeaseState.UNREADABLE),
        (DAMAGED, False, False, False, LeaseState.UNREADABLE),
        (OWNED, True, True, True, LeaseState.HELD),
        (OWNED, True, False, False, LeaseState.HELD),
        (OWNED, False, True, True, LeaseState.FOREIGN),
        (OWNED, False, True, False, LeaseState.FOREIGN),
        (OWNED, False, False, True, LeaseState.SILENT),
        (OWNED, False, False, False, LeaseState.WAITING),
        (NOBODYS, False, True, True, LeaseState.FREE),
        (NOBODYS, False, False, True, LeaseState.FREE),
        (NOBODYS, False, True, False, LeaseState.WAITING),
    ],
)
def test_who_has_a_lease_decides_and_whether_it_may_be_read(
    lease: Lease, here: bool, owner_lives: bool, ready: bool, state: LeaseState
) -> None:
    found = lease_state(lease, here=here, owner_lives=owner_lives, ready=ready, failing=False)
    assert found is state
    living = state in (LeaseState.HELD, LeaseState.FOREIGN)
    failing = lease_state(lease, here=here, owner_lives=owner_lives, ready=ready, failing=True)
    assert failing is (LeaseState.FAILING if living else state)


def test_the_runbook_names_states_by_the_words_that_are_printed() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    named = re.findall(r"`consumer leases` \((?:state )?([^)]*)\)", runbook)
    words = {word for text in named for word in re.findall("`([a-z_]+)`", text)}
    assert words
    assert words <= {state.in_command for state in LeaseState}


def test_the_page_has_a_colour_for_each_state_but_the_last() -> None:
    page = (ROOT / "consumer" / "adapters" / "serving" / "status_page.html").read_text()
    tones = page.split("const TONES = {")[1].split("};")[0]
    assert set(STATUS_WORDS) - set(re.findall(r"(\w+): \"", tones)) == {"finished"}
