"""Connections on which the answer to one request is never taken for that to another.

Nakadi is reached by httpx on the connections of aiohttp (`http_client.py`), AWS by aiobotocore on
the same (`aws/http_session.py`). Both use the requests and responses below.

A connection on which something came after the last answer is closed, not used again. aiohttp would
take what came for the answer to the next request: a peer that says 200 twice would make events
count as stored that it has not read, and a page of records would count as that of another shard.

What comes while the next request is under way looks like its answer. HTTP/1.1 forbids it, and has
nothing that tells the two apart. But peers write into their answers what can, and a subclass of
`GuardedResponse` looks at that. If it finds another request's answer, the outcome of this one is
unknown, and the connection is closed.

A request that is given up leaves nothing behind: what the operating system has not taken of it is
thrown away. An ordinary close would write it on, as soon as the peer reads again, behind newer
requests; in Lambda that is in a later invocation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from typing import Self

    from aiohttp.connector import Connection


class UnaskedAnswer(aiohttp.ClientConnectionResetError):
    """Something came on a connection that was not in use. Nothing was sent on it."""

    def __init__(self) -> None:
        super().__init__("the other end has spoken without being asked, so nothing was sent to it")


class AnswerToAnother(aiohttp.ClientConnectionError):
    """What came is the answer to another request. The outcome of this one is unknown."""

    def __init__(self) -> None:
        super().__init__("the answer is that to another request, so this one has none")


class GuardedRequest(aiohttp.ClientRequest):
    """A request that leaves only on a connection on which nobody has spoken."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send it. aiohttp closes the connection on an error."""
        if conn.protocol is None or conn.protocol.should_close:
            raise UnaskedAnswer
        return await super().send(conn)


class GuardedResponse(aiohttp.ClientResponse):
    """A response that closes its connection if the answer is that to another request."""

    async def start(self, connection: Connection) -> Self:
        """Read status and headers. Raise AnswerToAnother."""
        protocol = connection.protocol
        await super().start(connection)
        if self.answers_another(protocol):
            # A short answer has ended already, and its connection waits for the next request.
            if protocol is not None and protocol.transport is not None:
                protocol.transport.abort()
            raise AnswerToAnother
        return self

    def answers_another(self, connection: object) -> bool:  # noqa: ARG002 - for subclasses
        """Return whether this is surely no answer to its request; `connection` is its identity."""
        return False

    def close(self) -> None:
        """Give up the request, or the rest of its answer; one that has ended is released."""
        transport = None if self.connection is None else self.connection.transport
        if transport is not None:
            transport.abort()
        super().close()
