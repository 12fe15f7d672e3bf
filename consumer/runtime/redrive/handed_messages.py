"""Messages that were handed over, as a source of a redrive.

Ownership: the caller that has handed them over hides and deletes them; here it is only noted which
are accepted. It is the DeadLetterSource port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.dead_letters.redrive import QueueDepth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.dead_letters.redrive import QueuedMessage, Receipt


class HandedMessages:
    """Gives out each message once. `kept` are the ids of those that are not accepted, in order."""

    def __init__(self, messages: Sequence[QueuedMessage]) -> None:
        self._waiting = [*messages]
        self.kept = [message.receipt.message_id for message in messages]

    async def depth(self) -> QueueDepth:
        """Return how many messages are left to be given out."""
        return QueueDepth(len(self._waiting), 0)

    async def receive(self, count: int, seconds: float) -> Sequence[QueuedMessage]:  # noqa: ARG002 - the port's
        """Give out at most `count` messages."""
        found, self._waiting = self._waiting[:count], self._waiting[count:]
        return found

    async def delete(self, receipts: Sequence[Receipt]) -> Sequence[bool]:
        """Note messages as accepted."""
        gone = {receipt.message_id for receipt in receipts}
        self.kept = [name for name in self.kept if name not in gone]
        return [True] * len(receipts)

    async def hide(self, receipts: Sequence[Receipt], seconds: float) -> Sequence[bool]:  # noqa: ARG002 - the port's
        """Leave it to the caller that has handed them over."""
        return [True] * len(receipts)
