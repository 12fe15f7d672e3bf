"""`consumer health`: requests the local `/livez`, for containers without a shell or curl.

A container runs it every few seconds, so it imports as little as possible (`http.client` alone is a
third of what is left) and does not check the other settings: `run` and `check` do.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from consumer.errors import Fatal, Misconfigured
from consumer.settings.given import collect
from consumer.settings.source import HTTP_PORT, Given

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

TIMEOUT_SECONDS = 2.0
"""Longest wait for the connection, and for each part of the answer."""

LONGEST = 4000
"""Most bytes of the answer that are read; it says in a line what has stopped."""

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
    try:
        head, body = _livez(host, port)
    except OSError as error:
        raise Unhealthy(f"no answer from {host} port {port}: {error}") from None
    version, status = [*head.split(maxsplit=2), "", ""][:2]
    if not version.startswith("HTTP/1."):
        raise Unhealthy(f"no answer from {host} port {port}: what came is not HTTP")
    if status != "200":
        raise Unhealthy(f"/livez answered {status}: {body.strip()}")
    return 0


def _livez(host: str, port: int) -> tuple[str, str]:
    """Return head and body of the answer. Raise OSError."""
    answer = b""
    with socket.create_connection((host, port), TIMEOUT_SECONDS) as connection:
        connection.sendall(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")
        while len(answer) < LONGEST and (part := connection.recv(LONGEST)):
            answer += part
    head, _, body = answer.decode(errors="replace").partition("\r\n\r\n")
    return head, body


def address(environ: Mapping[str, str]) -> tuple[str, int]:
    """Return host and port on which the service of this container listens. Raise Misconfigured."""
    given = collect(environ, None)
    host = given.get("http_host", Given("", "")).text.strip()
    port = given.get("http_port", Given(str(HTTP_PORT), "")).text.strip()
    if not (port.isascii() and port.isdigit()):
        raise Misconfigured("CONSUMER_HTTP_PORT: found no number, wanted a port")
    if not int(port):
        raise Misconfigured(
            "CONSUMER_HTTP_PORT: found 0, by which the service takes any free port; wanted the port"
            " that health is to ask"
        )
    return (LOOPBACK if host in _EVERYWHERE else host), int(port)
