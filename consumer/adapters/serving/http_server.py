"""The HTTP server: probes, metrics, `/status`, and at `/` the status page.

It starts before the service is ready and stops last, so that a drain can be watched. Every answer
is made from memory: no request waits for AWS or Nakadi. What strangers send is answered, or is cut
off, and leaves nothing in the log.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol, cast

import orjson
from aiohttp import web
from aiohttp.http import HttpProcessingError
from msgspec import to_builtins
from prometheus_client import CONTENT_TYPE_LATEST

from consumer.adapters.serving.http_connections import HttpConnections
from consumer.adapters.serving.http_hosts import is_own_host
from consumer.adapters.serving.status_page import status_page
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from aiohttp.typedefs import Handler

    from consumer.core.reports.status import StatusView

SHUTDOWN_SECONDS = 1.0
"""Longest time to finish the answers under way when the server stops."""

BACKLOG = 16

_NOT_OWN = "the status is not shown for this host; CONSUMER_HTTP_ALLOWED_HOSTS can name it\n"
_EVERYWHERE = (None, "", "::")
_NO_IPV6 = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_FOR_PEOPLE = frozenset({"/", "/status"})

_faults = logging.getLogger("aiohttp.server.status")
"""Where aiohttp logs that a request failed: with a traceback, also for what is no request."""

_faults.addFilter(
    lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
)


class StatusSource(Protocol):
    """What the server asks for its answers. It is called within a request and must not wait."""

    def live(self) -> tuple[bool, str]:
        """Return whether the service is alive, and "ok" or what has stopped.

        It is alive if the coordinator and every held shard without a known cause of delay have
        made progress recently.
        """
        ...

    def ready(self) -> tuple[bool, str]:
        """Return whether the service is ready, and "ok" or the reason why it is not.

        It is ready if it is not draining, has done each thing once that it needs, from the first
        heartbeat to the first read of a shard, and is refused by no event type to which no worker
        has published yet.
        """
        ...

    def status(self) -> StatusView:
        """Return the content of `/status`."""
        ...

    def scrape(self) -> bytes:
        """Return the content of `/metrics`."""
        ...


@asynccontextmanager
async def serve_http(
    host: str | None, port: int, source: StatusSource, allowed_hosts: Collection[str] = ()
) -> AsyncIterator[int]:
    """Serve until the block ends; yield the port. If `port` is 0, a free one is chosen.

    Without a host the server listens on all interfaces, with IPv4 and, where the machine has it,
    IPv6. `allowed_hosts` are more names for which the status is shown. Raise Misconfigured if it
    cannot listen on the address.
    """
    listener = _listen(host, port)
    runner = web.AppRunner(
        _application(source, allowed_hosts),
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        logger=_faults,
        lingering_time=0.0,
    )
    try:
        await runner.setup()
        connections = HttpConnections(cast("web.Server", runner.server))
        server = await asyncio.get_running_loop().create_server(
            connections, sock=listener, backlog=BACKLOG
        )
        try:
            yield listener.getsockname()[1]
        finally:
            server.close()
    finally:
        await runner.cleanup()
        listener.close()


def _application(source: StatusSource, allowed_hosts: Collection[str]) -> web.Application:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request of a connection, and show the status for own hosts only."""
        host = request.headers.get("Host")
        response: web.StreamResponse
        if request.path in _FOR_PEOPLE and not is_own_host(host, allowed_hosts):
            response = web.Response(status=421, text=_NOT_OWN)
        else:
            try:
                response = await handler(request)
            except web.HTTPException as refusal:
                refusal.force_close()
                raise
        response.force_close()
        return response

    async def live(_: web.Request) -> web.Response:
        return _probe(source.live())

    async def ready(_: web.Request) -> web.Response:
        return _probe(source.ready())

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=source.scrape(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def status(_: web.Request) -> web.Response:
        return web.Response(
            body=orjson.dumps(source.status(), default=to_builtins), content_type="application/json"
        )

    text, headers = status_page()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html", headers=headers)

    application = web.Application(middlewares=[guard])
    application.router.add_get("/", page)
    application.router.add_get("/livez", live)
    application.router.add_get("/readyz", ready)
    application.router.add_get("/metrics", metrics)
    application.router.add_get("/status", status)
    return application


def _probe(answer: tuple[bool, str]) -> web.Response:
    fine, reason = answer
    return web.Response(status=200 if fine else 503, text=f"{reason}\n")


def _listen(host: str | None, port: int) -> socket.socket:
    """Return a listening socket: one for both IPv4 and IPv6, so that port 0 gives one port."""
    try:
        if host in _EVERYWHERE:
            return _listen_everywhere(port)
        family = socket.AF_INET6 if ":" in str(host) else socket.AF_INET
        return socket.create_server((str(host), port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Misconfigured(
            f"CONSUMER_HTTP_HOST, CONSUMER_HTTP_PORT: found {host or 'all interfaces'} and {port}"
            f" ({error.strerror}), wanted an address of this machine and a free port"
        ) from error


def _listen_everywhere(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG
            )
        except OSError as error:
            if error.errno not in _NO_IPV6:  # IPv6 may be switched off on this machine
                raise
    return socket.create_server(("", port), backlog=BACKLOG)
