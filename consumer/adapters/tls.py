"""TLS to Nakadi: whose certificates are trusted, and the certificate that the service shows.

Trusted are the authorities of SSL_CERT_FILE or SSL_CERT_DIR, otherwise the public ones. The
certificate of the service is in files that the platform renews: they are read again when they
change, and new connections show the new one.
"""

from __future__ import annotations

import os
import ssl
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx

from consumer.adapters.file_watch import FileWatch, why_unreadable
from consumer.adapters.proxies import check_proxies
from consumer.errors import Misconfigured
from consumer.observability.conditions import Conditions

if TYPE_CHECKING:
    from pathlib import Path

PAUSE: Final = 10.0
"""Shortest time in seconds between two looks at the files."""


class Tls:
    """The `context` of connections to Nakadi.

    Raise Misconfigured if a file cannot be used, or a proxy of the environment.
    `cert` has the certificate, and the key too if `key` is None.
    """

    def __init__(self, cert: Path | None = None, key: Path | None = None) -> None:
        check_proxies()
        self.context = _trusting()
        self._now = 0.0
        self._conditions = Conditions(self._time)
        self._watch: FileWatch | None = None
        self._path = str(cert)
        if cert is None:
            return
        files = (cert, key or cert)
        self._watch = FileWatch(files, partial(self._load, *files), PAUSE)
        try:
            self._watch.look()
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise Misconfigured(
                "CONSUMER_NAKADI_CLIENT_CERT_FILE, CONSUMER_NAKADI_CLIENT_KEY_FILE: found"
                f" {' and '.join(map(str, dict.fromkeys(files)))} ({why_unreadable(error)}),"
                " wanted a certificate in PEM format and its key, without a password"
            ) from error

    def refresh(self, now: float) -> None:
        """Read the files again if they have changed; `now` is the clock's, in seconds.

        While they cannot be used, the last certificate stays: a renewal may be under way.
        """
        if self._watch is None or not self._watch.due(now):
            return
        self._now = now
        try:
            self._watch.look()
        except (OSError, ValueError) as error:
            self._conditions.warning(
                "client_certificate_unreadable",
                path=self._path,
                detail=why_unreadable(error),
                action="have a certificate and its key written to these files; the last one"
                " stays in use until it expires",
            )
        else:
            self._conditions.over("client_certificate_unreadable", path=self._path)

    def _load(self, cert: Path, key: Path) -> None:
        # Loading replaces the certificate before it looks at the key, so a pair is tried out first.
        for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self.context):
            context.load_cert_chain(cert, key, password=_no_password)

    def _time(self) -> float:
        return self._now


def _trusting() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        file = os.environ.get("SSL_CERT_FILE")
        name = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
        raise Misconfigured(
            f"{name}: found {os.environ.get(name)!r} ({why_unreadable(error)}), wanted"
            " certificates in PEM format"
        ) from error


def _no_password() -> str:
    """Refuse a key with a password; OpenSSL would ask for it on the terminal and wait."""
    raise ValueError("the key has a password")
