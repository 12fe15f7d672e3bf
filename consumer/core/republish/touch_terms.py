"""Whether items may be touched: by the table, and by what the workers that live say of themselves.

A touch that a worker does not leave out is published, and stays so. A worker that cannot be shown
to leave it out is taken for one that does not: each row counts until it is proven dead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.core.leases.lease import Worker
    from consumer.core.leases.peers import Peers
    from consumer.core.republish.table.table_description import TableDescription

UNIT_BYTES: Final = 1024
"""A write of an item costs a unit for each begun piece of this many bytes."""

SAID: Final = (
    "a touch cancels transactions that touch the item, and wakes every other reader of the stream",
    "the attribute stays in the item, and indexes that project all attributes get it",
    "versions before 0.2.0, like any other relay, publish it: do not go back to one afterwards",
)
"""What is to be known before items are touched."""


class Readiness(Struct, frozen=True):
    """Whether items may be touched now. `refusal` says why they may not, whatever is waited for."""

    ready: bool
    refusal: str | None = None


def hindrance(table: TableDescription, attribute: str, *, only_writer: bool) -> str | None:
    """Return why the items of a table cannot be touched, None if they can.

    A global table settles conflicts by item: a touch can wipe out what another Region wrote a
    second before. `only_writer` says that no other Region writes.
    """
    if attribute in table.defined:
        return f"{attribute!r} is a key of an index of table {table.name}"
    if table.replicas and not (table.strong or only_writer):
        return (
            f"table {table.name} has replicas ({', '.join(table.replicas)}): a touch can wipe out"
            " what another Region wrote a second before; --only-writer-region says that all writes"
            " are made here"
        )
    return None


def readiness(peers: Peers, attribute: str, table: str) -> Readiness:
    """Return whether all workers that live leave the attribute out, and any reads the table."""
    dead, beating = peers.dead, peers.beating
    living = [row for row in peers.rows if row.worker_id not in dead]
    unfit = [row for row in living if row.touch_attribute != attribute]
    for row in unfit:
        if row.worker_id in beating:
            return Readiness(ready=False, refusal=_unfit(row, attribute))
    readers = [row for row in living if row.worker_id in beating and _reads(row, table)]
    return Readiness(ready=not unfit and bool(readers))


def said(attribute: str, rate: float) -> Iterator[str]:
    """Yield what is said before the command asks; `rate` is in write units a second."""
    yield f"each item gets the attribute {attribute}; events do not show it"
    yield from SAID
    yield f"at most {rate:g} write units a second are used; each started KB of an item costs one"


def _reads(row: Worker, table: str) -> bool:
    """Return whether a worker takes leases of a stream of the table, whichever it is."""
    return any(key.partition("/")[0] == table for key in row.streams)


def _unfit(row: Worker, attribute: str) -> str:
    says = "no attribute" if row.touch_attribute is None else repr(row.touch_attribute)
    return (
        f"worker {row.worker_id} (version {row.version or 'unknown'}) leaves out {says}, and not"
        f" {attribute!r}"
    )
