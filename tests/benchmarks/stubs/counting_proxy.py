"""Passes bytes on to a DynamoDB endpoint and counts the operations in them.

GET /control/counts: {operation: calls}.

python -m tests.benchmarks.stubs.counting_proxy ENDPOINT_URL
"""

import asyncio
import re
import signal
import sys
from collections import Counter
from contextlib import suppress
from urllib.parse import urlsplit

import orjson
import uvloop

from tests.benchmarks.stubs.http_stub import Response

_TARGET = re.compile(rb"x-amz-target: *DynamoDB_\d+\.(\w+)\r\n", re.IGNORECASE)
_LONGEST = 80  # bytes of such a line
_CONTROL = b"GET /control/counts "


class CountingProxy:
    def __init__(self, endpoint_url: str) -> None:
        endpoint = urlsplit(endpoint_url)
        self._server = (endpoint.hostname, endpoint.port)
        self._counts: Counter[str] = Counter()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            first = await reader.read(65536)
            if first.startswith(_CONTROL):
                more = "connection: close\r\n"
                writer.write(Response(orjson.dumps(self._counts), headers=more).wire)
                writer.close()
                return
            there, back = await asyncio.open_connection(*self._server)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._count(first, reader, back))
                tasks.create_task(_pass_on(there, writer))

    async def _count(
        self, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        kept = b""
        while data:
            kept += data
            end = 0
            for found in _TARGET.finditer(kept):
                self._counts[found[1].decode()] += 1
                end = found.end()
            kept = kept[max(end, len(kept) - _LONGEST) :]
            writer.write(data)
            await writer.drain()
            data = await reader.read(65536)
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _serve(endpoint_url: str) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    proxy = CountingProxy(endpoint_url)
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await stopped.wait()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
