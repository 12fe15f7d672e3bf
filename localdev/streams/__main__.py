"""Serve DynamoDB Streams, and as much of DynamoDB as a workload needs, from memory.

The first line printed is the URL: it is the endpoint of both services, for example

    AWS_ENDPOINT_URL_DYNAMODB_STREAMS=<url> AWS_ENDPOINT_URL_DYNAMODB=<url>

The server ends on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import signal
from random import Random

from aiohttp import web

from localdev.streams.control import control
from localdev.streams.control.lifecycle import age_shards, forget_old
from localdev.streams.http.dispatch import Dispatch
from localdev.streams.http.fault import Faults
from localdev.streams.http.tables_api import TablesApi
from localdev.streams.model.options import Options
from localdev.streams.model.stale_listings import Lies
from localdev.streams.model.streams_model import RETENTION_SECONDS, StreamsModel
from localdev.streams.server import KEEP_ALIVE_SECONDS, Server, Wire


def arguments() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m localdev.streams",
        description=__doc__,
        epilog=control.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to bind (default %(default)s)")
    add("--port", type=int, default=0, help="port; 0 takes a free one (default)")
    add("--shards", type=int, default=1, help="shards of a new stream (default 1)")
    add(
        "--split-every",
        type=float,
        metavar="SECONDS",
        help="interval at which a shard of each stream is closed",
    )
    add(
        "--retention",
        type=float,
        metavar="SECONDS",
        default=RETENTION_SECONDS,
        help="age at which records are removed (default 24 h)",
    )
    add("--seed", default="0", help="seed of ids and of random choices (default 0)")
    add("--spaces", action="store_true", help="write JSON with spaces, as emulators do")
    add("--no-gzip", action="store_true", help="never compress answers")
    add("--no-crc", action="store_true", help="send no x-amz-crc32, as emulators do")
    add(
        "--ignore-child-filter", action="store_true", help="CHILD_SHARDS lists all, as emulators do"
    )
    add(
        "--lag",
        type=float,
        metavar="SECONDS",
        default=0.0,
        help="listings are up to this far behind",
    )
    add(
        "--empty-pages",
        type=float,
        metavar="PART",
        default=0.0,
        help="part of the pages that are empty, 0 to 1",
    )
    add("--readers", type=int, default=0, help="readers a shard takes each second (AWS: 2)")
    add(
        "--call-limits",
        action="store_true",
        help="at most 5 ListStreams, 10 DescribeStream a second",
    )
    add("--exponent-times", action="store_true", help="write times as 1.46480431E9")
    return parser


async def serve(settings: argparse.Namespace) -> None:
    """Serve until a signal."""
    random = Random(settings.seed)
    options = Options(
        child_filter=not settings.ignore_child_filter,
        exponent_times=settings.exponent_times,
        empty_pages=settings.empty_pages,
        readers=settings.readers,
        call_limits=settings.call_limits,
        lies=Lies(lag=settings.lag),
    )
    model = StreamsModel(settings.seed, options)
    dispatch = Dispatch(model, TablesApi(settings.shards), Faults(random.random))
    wire = Wire(spaces=settings.spaces, gzip=not settings.no_gzip, crc=not settings.no_crc)
    server = Server(dispatch, control.Control(dispatch, random), wire)
    runner = web.AppRunner(
        server.application(), access_log=None, keepalive_timeout=KEEP_ALIVE_SECONDS
    )
    await runner.setup()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await web.TCPSite(runner, settings.host, settings.port, shutdown_timeout=1.0).start()
        print(f"http://{settings.host}:{runner.addresses[0][1]}", flush=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(forget_old(model, settings.retention, stop))
            if settings.split_every:
                group.create_task(age_shards(model, settings.split_every, random, stop))
            await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(arguments().parse_args()))
