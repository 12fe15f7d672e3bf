"""What the rest of the worker knows of the table's streams, for discovery.

Ownership: `runtime.leases` makes it from what was read; discovery only looks at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Lease


class KnownStreams(Struct, frozen=True):
    """The leases of each stream as last read, by stream key, and the streams near their end.

    `closing` are the keys of streams whose leases are all at their end. `retired` are the keys of
    those among them that a later stream of the table has followed. `may_be_read` are the keys of
    streams that wait for no older one.
    """

    leases: Mapping[str, Sequence[Lease]]
    closing: frozenset[str] = frozenset()
    retired: frozenset[str] = frozenset()
    may_be_read: frozenset[str] = frozenset()
