"""`consumer health`: requests the local `/livez`, for containers without a shell or curl.

A container runs it every few seconds, so it imports as little as possible and does not check the
other settings: `run` and `check` do.
"""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

from consumer.errors import Fatal, Misconfigured
from consumer.settings.source import HTTP_PORT, Given, collect

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

TIMEOUT_SECONDS = 2.0
LOOPBACK = "127.0.0.1"
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, never bound


class Unhealthy(Fatal):
    """The service does not say that it is alive. The exit code is 1, whatever the reason."""


def run(_: argparse.Namespace, environ: Mapping[str, str], __: TextIO) -> int:
    """Return 0 if the service says that it is alive. Raise Unhealthy otherwise."""
    try:
        host, port = address(environ)
    except Misconfigured as error:
        raise Unhealthy(str(error)) from None
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/livez")
        answer = connection.getresponse()
        text = answer.read(1000).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        raise Unhealthy(f"no answer from {host} port {port}: {error}") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise Unhealthy(f"/livez answered {answer.status}: {text}")
    return 0


def address(environ: Mapping[str, str]) -> tuple[str, int]:
    """Return host and port on which the service of this container listens. Raise Misconfigured."""
    given = collect(environ, None)
    host = given.get("http_host", Given("", "")).text.strip()
    port = given.get("http_port", Given(str(HTTP_PORT), "")).text.strip()
    if not (port.isascii() and port.isdigit()):
        raise Misconfigured("CONSUMER_HTTP_PORT: found no number, wanted a port")
    return (LOOPBACK if host in _EVERYWHERE else host), int(port)
