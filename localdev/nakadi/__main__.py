"""`python -m localdev.nakadi`: runs the local Nakadi until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys

from aiohttp import web

from localdev.nakadi.http.front import HEADER_FIELD_MAX_BYTES
from localdev.nakadi.local_nakadi import STORAGE_WAIT_SECONDS, LocalNakadi
from localdev.nakadi.server import make_app

# The real server closes idle connections after this; clients must expire theirs earlier.
_KEEP_ALIVE_SECONDS = 30.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SHUTDOWN_SECONDS = 0.2
# Events nested this deep are read by the real server, too.
_RECURSION_LIMIT = 10_000


async def serve(nakadi: LocalNakadi, host: str, port: int) -> None:
    """Serve until a signal; the first line printed is the URL."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(
        make_app(nakadi),
        access_log=None,
        auto_decompress=False,
        keepalive_timeout=_KEEP_ALIVE_SECONDS,
        max_field_size=HEADER_FIELD_MAX_BYTES,
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound_host, bound_port = runner.addresses[0][:2]
        shown_host = f"[{bound_host}]" if ":" in bound_host else bound_host
        nakadi.address = f"{shown_host}:{bound_port}"
        print(f"http://{nakadi.address}", flush=True)
        print(
            f"local Nakadi on {bound_host}, for development only; it stores nothing on disk",
            flush=True,
        )
        if host not in _LOOPBACK:
            print("other machines may reach it, and it requires no authentication", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="localdev.nakadi", description=__doc__)
    parser.add_argument("--port", type=int, default=8090, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--no-text", action="store_true", help="keep eids, keys and sequences, drop event texts"
    )
    parser.add_argument(
        "--storage-wait",
        type=float,
        default=STORAGE_WAIT_SECONDS,
        metavar="SECONDS",
        help="time until a batch that is too large for the store is answered",
    )
    arguments = parser.parse_args()
    sys.setrecursionlimit(_RECURSION_LIMIT)
    nakadi = LocalNakadi(storage_wait=arguments.storage_wait, keep_text=not arguments.no_text)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(nakadi, arguments.host, arguments.port))
    sys.exit(0)


if __name__ == "__main__":
    main()
