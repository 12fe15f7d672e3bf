"""The dead letter queue in memory: messages are hidden when received, and come back in time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from consumer.core.dead_letters.redrive import QueueDepth, QueuedMessage, Receipt
from consumer.errors import Misconfigured, Retryable
from tests.twins.virtual_time import EPOCH, VirtualClock

MOST = 10
"""Messages of one call."""


@dataclass
class Message:
    body: bytes
    sent_at: float
    visible_at: float = 0.0
    receptions: int = 0
    handle: str = ""


@dataclass
class LetterSourceTwin:
    """DeadLetterSource port. `stuck` names what cannot be deleted.

    `down` calls fail first, for `reason`; the next `forgets` take effect and lose their answer.
    `absent`: there is no queue. `deletes` False: every call to delete fails. Calls take `call`
    seconds, those that hide `hiding` more.
    """

    clock: VirtualClock = field(default_factory=VirtualClock)
    messages: dict[str, Message] = field(default_factory=dict)
    down: int = 0
    reason: str = "timeout"
    forgets: int = 0
    absent: bool = False
    deletes: bool = True
    call: float = 0.0
    hiding: float = 0.0
    stuck: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    received_again: int = 0
    sent: int = 0

    def put(self, *bodies: bytes, sent_at: float = EPOCH) -> None:
        for body in bodies:
            self.messages[f"m{self.sent}"] = Message(body, sent_at)
            self.sent += 1

    def visible(self) -> list[str]:
        now = self.clock.now()
        return [name for name, message in self.messages.items() if message.visible_at <= now]

    async def depth(self) -> QueueDepth:
        await self._arrive("depth")
        if self.absent:
            raise Misconfigured("there is no queue")
        visible = len(self.visible())
        return QueueDepth(visible, len(self.messages) - visible)

    async def receive(self, count: int, seconds: float) -> Sequence[QueuedMessage]:
        await self._arrive("receive")
        assert 0 < count <= MOST
        if not self.visible():
            await self.clock.sleep(1.0)
        found = [self._hand_out(name, seconds) for name in self.visible()[:count]]
        self._answer()
        return found

    async def delete(self, receipts: Sequence[Receipt]) -> Sequence[bool]:
        await self._arrive("delete")
        assert len(receipts) <= MOST
        if not self.deletes:
            raise Retryable("no answer", "timeout")
        gone = []
        for receipt in receipts:
            owned = self._owned(receipt) and receipt.message_id not in self.stuck
            if owned:
                del self.messages[receipt.message_id]
            gone.append(owned)
        self._answer()
        return gone

    async def hide(self, receipts: Sequence[Receipt], seconds: float) -> Sequence[bool]:
        await self._arrive("hide")
        assert len(receipts) <= MOST
        if self.hiding:
            await self.clock.sleep(self.hiding)
        for receipt in receipts:
            if self._owned(receipt):
                self.messages[receipt.message_id].visible_at = self.clock.now() + seconds
        self._answer()
        return [self._owned(receipt) for receipt in receipts]

    async def _arrive(self, name: str) -> None:
        self.calls.append(name)
        if self.call:
            await self.clock.sleep(self.call)
        if self.down > 0:
            self.down -= 1
            raise Retryable("no answer", self.reason)

    def _answer(self) -> None:
        if self.forgets > 0:
            self.forgets -= 1
            raise Retryable("the answer was lost", "reset")

    def _owned(self, receipt: Receipt) -> bool:
        message = self.messages.get(receipt.message_id)
        return message is not None and message.handle == receipt.handle

    def _hand_out(self, name: str, seconds: float) -> QueuedMessage:
        message = self.messages[name]
        message.visible_at = self.clock.now() + seconds
        message.receptions += 1
        self.received_again += message.receptions > 1
        message.handle = f"{name}/{message.receptions}"
        receipt = Receipt(name, message.handle)
        return QueuedMessage(receipt, message.body, message.sent_at, message.receptions)
