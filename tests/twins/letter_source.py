"""The dead letter queue in memory: messages are hidden when received, and come back in time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from consumer.core.dead_letters.redrive import QueueDepth, QueuedMessage, Receipt
from consumer.errors import Retryable
from tests.twins.virtual_time import EPOCH, VirtualClock


@dataclass
class Message:
    body: bytes
    visible_at: float = 0.0
    receptions: int = 0
    handle: str = ""


@dataclass
class LetterSourceTwin:
    """DeadLetterSource port. `down` calls fail first; `stuck` names what cannot be deleted."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    messages: dict[str, Message] = field(default_factory=dict)
    down: int = 0
    stuck: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    received_again: int = 0

    def put(self, *bodies: bytes) -> None:
        for body in bodies:
            self.messages[f"m{len(self.messages)}"] = Message(body)

    def visible(self) -> list[str]:
        now = self.clock.now()
        return [name for name, message in self.messages.items() if message.visible_at <= now]

    async def depth(self) -> QueueDepth:
        self._call("depth")
        visible = len(self.visible())
        return QueueDepth(visible, len(self.messages) - visible)

    async def receive(self, count: int, seconds: float) -> Sequence[QueuedMessage]:
        self._call("receive")
        if not self.visible():
            await self.clock.sleep(1.0)
        return [self._hand_out(name, seconds) for name in self.visible()[:count]]

    async def delete(self, receipts: Sequence[Receipt]) -> Sequence[bool]:
        self._call("delete")
        assert 0 < len(receipts) <= 10
        gone = []
        for receipt in receipts:
            owned = self._owned(receipt) and receipt.message_id not in self.stuck
            if owned:
                del self.messages[receipt.message_id]
            gone.append(owned)
        return gone

    async def hide(self, receipts: Sequence[Receipt], seconds: float) -> Sequence[bool]:
        self._call("hide")
        assert 0 < len(receipts) <= 10
        for receipt in receipts:
            if self._owned(receipt):
                self.messages[receipt.message_id].visible_at = self.clock.now() + seconds
        return [self._owned(receipt) for receipt in receipts]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.down > 0:
            self.down -= 1
            raise Retryable("no answer", "timeout")

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
        return QueuedMessage(receipt, message.body, EPOCH, message.receptions)
