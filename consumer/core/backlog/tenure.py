"""Tenure: the unbroken time for which this process holds a shard and reads it without a jump.

It ends when the lease is lost or released, when the fence passes, and when an operator's command
moves the position in the shard. A ticket of one tenure is never sent in another.
"""

from __future__ import annotations

from msgspec import Struct


class Tenure(Struct, frozen=True, eq=False):
    """One tenure of a shard. Tenures are compared by identity.

    `epoch` is the fence's epoch in which the lease was taken.
    """

    stream_arn: str
    shard_id: str
    epoch: int

    @property
    def member(self) -> str:
        """The shard's name in the budget. It has the stream, because emulators reuse shard ids."""
        return f"{self.stream_arn}/{self.shard_id}"
