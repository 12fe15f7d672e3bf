"""The state of a lease, for everything that shows it: one enumeration, two words for each state.

A worker knows which leases it holds and which peers it has seen alive. `consumer leases` looks from
outside: it cannot tell itself from other owners, but it names an owner without a sign of life. So
each state has a word for either. Both words are public: scripts and alerts read them.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease


class LeaseState(Enum):
    """Each value is a pair of words: that of a worker and that of `consumer leases`."""

    HELD = ("held", "held")  # by the worker that shows the state
    FOREIGN = ("foreign", "held")  # by a worker that is not known to be dead
    FAILING = ("failing", "failing")  # its owner lives, but the calls for the shard fail
    SILENT = ("free", "silent")  # its owner shows no sign of life; peers take it over
    FREE = ("free", "unowned")  # may be read and has no owner
    WAITING = ("waiting", "waiting_for_parent")  # or for an older stream, or for the bootstrap
    FINISHED = ("finished", "finished")
    UNREADABLE = ("unreadable", "unreadable")  # its row; no worker reads the shard

    @property
    def in_status(self) -> str:
        """The word in `/status`, on the page and in the metric `consumer_leases`."""
        return self.value[0]

    @property
    def in_command(self) -> str:
        """The word of `consumer leases`."""
        return self.value[1]


STATUS_WORDS = tuple(dict.fromkeys(state.in_status for state in LeaseState))
"""All words of `/status`, each once."""


def lease_state(
    lease: Lease, *, here: bool, owner_lives: bool, ready: bool, failing: bool
) -> LeaseState:
    """Return the state of a lease.

    `here`: the worker that asks holds it. `owner_lives` matters only where the row names an owner.
    `ready`: the shard may be read. `failing`: by its owner's word the calls for it fail.
    """
    if lease.finished:
        return LeaseState.FINISHED
    if here:
        return LeaseState.FAILING if failing else LeaseState.HELD
    if lease.unreadable is not None:
        return LeaseState.UNREADABLE
    if lease.owner is not None and owner_lives:
        return LeaseState.FAILING if failing else LeaseState.FOREIGN
    if not ready:
        return LeaseState.WAITING
    return LeaseState.FREE if lease.owner is None else LeaseState.SILENT
