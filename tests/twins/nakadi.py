"""Nakadi in memory: stores what it is sent, answers as it is told, remembers every request."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import orjson

from consumer.core.publishing.answer import Answer, BatchItemResponse, PublishingStatus

Items = list[tuple[str, str]]  # (publishing_status, step)


@dataclass
class Request:
    bodies: list[bytes]
    started: float
    keys: list[str]
    ended: float | None = None
    answer: Answer | None = None


@dataclass
class Reply:
    """One prepared answer. `items` fills a 207 or 422; `stores` names the indexes that are stored
    (default: all of a 200, the submitted ones of a 207). `foreign`: it is not Nakadi that speaks.
    `eids`: the items have those of the events at these indexes, which need not be all.
    """

    status: int = 200
    items: Items | None = None
    delay: float = 0.01
    retry_after: float | None = None
    stores: Sequence[int] | None = None
    reason: str = ""
    partitions: Sequence[str] | None = None
    foreign: bool = False
    eids: Sequence[int] | None = None
    detail: str = "detail"


def refusal(count: int, bad: int, step: str = "validating") -> Reply:
    """The 422 of a request of `count` events of which the one at index `bad` is refused."""
    before: Items = [("aborted", step)] * bad
    behind: Items = [("aborted", "none")] * (count - bad - 1)
    return Reply(422, [*before, ("failed", step), *behind])


Script = Callable[[list[bytes]], Reply]


@dataclass
class NakadiTwin:
    """Publisher port. Replies come from `replies` first, then from `script`, then are 200."""

    replies: deque[Reply] = field(default_factory=deque)
    script: Script | None = None
    stored: list[bytes] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    delay: float = 0.01

    async def publish(self, bodies: Sequence[bytes]) -> Answer:
        loop = asyncio.get_running_loop()
        request = Request(list(bodies), loop.time(), [key_of(body) for body in bodies])
        self.requests.append(request)
        if self.replies:
            reply = self.replies.popleft()
        elif self.script is not None:
            reply = self.script(request.bodies)
        else:
            reply = Reply(delay=self.delay)
        await asyncio.sleep(reply.delay)
        for index in self._stored_by(reply, len(bodies)):
            self.stored.append(bodies[index])
        request.ended = loop.time()
        request.answer = self._answer(reply, bodies)
        return request.answer

    @staticmethod
    def _stored_by(reply: Reply, count: int) -> Sequence[int]:
        if reply.stores is not None:
            return reply.stores
        if reply.status == 200 and reply.items is None:
            return range(count)
        return [i for i, (status, _) in enumerate(reply.items or []) if status == "submitted"]

    @staticmethod
    def _answer(reply: Reply, bodies: Sequence[bytes]) -> Answer:
        items = None
        if reply.items is not None:
            parts = reply.partitions or ["0"] * len(reply.items)
            eids = [""] * len(reply.items)
            if reply.eids is not None:
                eids = [eid_of(bodies[index]) for index in reply.eids]
            items = tuple(
                BatchItemResponse(PublishingStatus(status), step, reply.detail, part, eid)
                for (status, step), part, eid in zip(reply.items, parts, eids, strict=True)
            )
        reason = reply.reason or f"{'foreign' if reply.foreign else 'http'}_{reply.status}"
        return Answer(
            reply.status, items, reply.retry_after, "flow", reason, reply.detail, not reply.foreign
        )

    def sequences(self, key: str) -> list[int]:
        """What is stored of a key, in the order of storing."""
        return [sequence_of(body) for body in self.stored if key_of(body) == key]


@cache  # tests ask for one key after the other
def key_of(body: bytes) -> str:
    event = orjson.loads(body)
    return str(event.get("data", event)["id"])  # a business event has no `data`


def sequence_of(body: bytes) -> int:
    return int(orjson.loads(body)["data"]["change"]["sequence"])


def eid_of(body: bytes) -> str:
    return str(orjson.loads(body)["metadata"]["eid"])
