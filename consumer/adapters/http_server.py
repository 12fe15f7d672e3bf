"""The HTTP server: probes, metrics, `/status`, and at `/` the status page.

It starts before the service is ready and stops last, so that a drain can be watched. Every answer
is made from memory: no request waits for AWS or Nakadi.
"""

from __future__ import annotations

import errno
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from consumer.adapters.status_page import status_page
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consumer.core.reports.status import StatusView

SHUTDOWN_SECONDS = 1.0
"""Longest time to finish the answers under way when the server stops."""

BACKLOG = 16
_EVERYWHERE = (None, "", "::")
_NO_IPV6 = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


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

        It is ready if it is not draining, has reached the lease table, and has published something
        or is not refused access to the event type.
        """
        ...

    def status(self) -> StatusView:
        """Return the content of `/status`."""
        ...

    def scrape(self) -> bytes:
        """Return the content of `/metrics`."""
        ...


@asynccontextmanager
async def serve_http(host: str | None, port: int, source: StatusSource) -> AsyncIterator[int]:
    """Serve until the block ends; yield the port. If `port` is 0, a free one is chosen.

    Without a host the server listens on all interfaces, with IPv4 and, where the machine has it,
    IPv6. Raise Misconfigured if it cannot listen on the address.
    """
    listener = _listen(host, port)
    runner = web.AppRunner(_application(source), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    try:
        await runner.setup()
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        yield listener.getsockname()[1]
    finally:
        await runner.cleanup()
        listener.close()


def _application(source: StatusSource) -> web.Application:
    async def live(_: web.Request) -> web.Response:
        return _probe(source.live())

    async def ready(_: web.Request) -> web.Response:
        return _probe(source.ready())

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=source.scrape(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def status(_: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps(source.status()), content_type="application/json")

    text, headers = status_page()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html", headers=headers)

    application = web.Application()
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
