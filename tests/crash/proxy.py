"""A TCP proxy that fails on command, to stand before streams, lease table or Nakadi.

It knows one thing of HTTP/1.1: what a client sends after an answer is its next request.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.crash.proxied_connection import ProxiedConnection, reset
from tests.crash.trouble import Exchange, Kind, Trouble

CALL_SECONDS = 120.0


class Proxy:
    """Its loop runs in a thread of its own; all that has no underscore is for other threads."""

    def __init__(self, server_url: str, seed: int) -> None:
        self._server = urlsplit(server_url)
        self._chance = random.Random(seed)
        self._connections: set[ProxiedConnection] = set()
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._listening = threading.Event()
        self._stopped = asyncio.Event()
        self.url = ""
        self.trouble: Trouble | None = None
        self.exchanges: list[Exchange] = []

    def set(self, trouble: Trouble | None) -> None:
        """Let this happen from now on, in place of what did; None: everything passes."""
        self._call(lambda: self._set(trouble))

    def hits(self, kind: Kind | None = None) -> int:
        """How many exchanges met this kind of trouble, or any."""
        kinds = [exchange.kind for exchange in list(self.exchanges)]
        return sum(met is not None and kind in (None, met) for met in kinds)

    def since(self, started: float) -> list[Exchange]:
        """The exchanges that began at this time (CLOCK_MONOTONIC) or later."""
        return [exchange for exchange in list(self.exchanges) if exchange.started >= started]

    def run(self) -> None:
        """Serve in this thread until stopped."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    def wait_for_start(self) -> None:
        """Return when `url` is known."""
        if not self._listening.wait(CALL_SECONDS):
            raise RuntimeError("the proxy did not start")

    def stop(self) -> None:
        """End `run` and all connections."""
        self._call(self._stopped.set)

    def _call(self, command: Callable[[], None]) -> None:
        done = threading.Event()

        def call() -> None:
            command()
            done.set()

        self._loop.call_soon_threadsafe(call)
        if not done.wait(CALL_SECONDS):
            raise RuntimeError("the proxy does not answer")

    def _set(self, trouble: Trouble | None) -> None:
        self.trouble = trouble
        self._changed.set()
        self._changed = asyncio.Event()
        if trouble is not None and trouble.kind is Kind.CUT and trouble.probability >= 1:
            for connection in self._connections:
                connection.reset()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._listening.set()
        await self._stopped.wait()
        server.close()
        self._set(None)

    async def _connected(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            there, on = await asyncio.open_connection(self._server.hostname, self._server.port)
        except OSError:
            reset(back)
            return
        connection = ProxiedConnection(self, (here, back), (there, on))
        self._connections.add(connection)
        try:
            await connection.pass_on()
        except asyncio.CancelledError:
            pass  # it is stopped; streams would log a cancelled connection as an error
        finally:
            connection.reset()
            self._connections.discard(connection)

    def begin(self, request: bytes) -> Trouble | None:
        """For its connections: a request comes in; what it meets."""
        trouble = self.trouble
        if trouble is not None and trouble.kind is not Kind.BLACKHOLE:
            likely = self._chance.random() < trouble.probability
            trouble = trouble if likely and trouble.containing in request else None
        self.exchanges.append(Exchange(time.monotonic(), None if trouble is None else trouble.kind))
        return trouble

    async def passable(self) -> None:
        """For its connections: wait for the end of a blackhole."""
        while self.trouble is not None and self.trouble.kind is Kind.BLACKHOLE:
            await self._changed.wait()


@contextmanager
def proxy(server_url: str, seed: int = 0) -> Iterator[Proxy]:
    """Run a proxy before a server until the block ends; the seed decides whom a trouble hits."""
    made = Proxy(server_url, seed)
    thread = threading.Thread(target=made.run, name=f"proxy before {server_url}")
    thread.start()
    try:
        made.wait_for_start()
        yield made
    finally:
        made.stop()
        thread.join()
