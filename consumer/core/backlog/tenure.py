"""Tenure: the unbroken time for which this process holds a shard and reads on from one place.

It ends when the lease is lost or released, when the fence passes, and when a command of an operator
makes the shard begin elsewhere. What was opened in one tenure is never sent in another.
"""

from __future__ import annotations

from msgspec import Struct


class Tenure(Struct, frozen=True, eq=False):
    """Two tenures of one shard are two: they are compared by identity.

    `epoch` is that of the fence in which the lease was taken.
    """

    stream_arn: str
    shard_id: str
    epoch: int

    @property
    def member(self) -> str:
        """The shard's name in the budget; emulators reuse shard ids, so it has the stream."""
        return f"{self.stream_arn}/{self.shard_id}"
