"""TLS to Nakadi: whose certificates are trusted, and the certificate that the service shows.

Trusted are the authorities of SSL_CERT_FILE or SSL_CERT_DIR, otherwise the public ones. The
certificate of the service is in files that the platform renews: they are read again when they
change, and new connections show the new one.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Final

import httpx
import structlog

from consumer.adapters.proxies import check_proxies
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()

PAUSE: Final = 10.0
"""Shortest time in seconds between two looks at the files."""

_Seen = tuple[tuple[int, int, int], ...]


class Tls:
    """The `context` of connections to Nakadi.

    Raise Misconfigured if a file cannot be used, or a proxy of the environment.
    `cert` has the certificate, and the key too if `key` is None.
    """

    def __init__(self, cert: Path | None = None, key: Path | None = None) -> None:
        check_proxies()
        self.context = _trusting()
        self._files = None if cert is None else (cert, key or cert)
        self._seen: _Seen | None = None
        self._look_at = float("-inf")
        self._complained = False
        if self._files is not None:
            try:
                self._load(*self._files)
            except (OSError, ValueError) as error:  # an SSLError is an OSError
                raise Misconfigured(
                    "CONSUMER_NAKADI_CLIENT_CERT_FILE, CONSUMER_NAKADI_CLIENT_KEY_FILE: found"
                    f" {' and '.join(map(str, dict.fromkeys(self._files)))} ({_why(error)}), wanted"
                    " a certificate in PEM format and its key, without a password"
                ) from error

    def refresh(self, now: float) -> None:
        """Read the files again if they have changed; `now` is the clock's, in seconds.

        While they cannot be used, the last certificate stays: a renewal may be under way.
        """
        if self._files is None or now < self._look_at:
            return
        self._look_at = now + PAUSE
        try:
            if _stat(*self._files) != self._seen:
                self._load(*self._files)
        except (OSError, ValueError) as error:
            if not self._complained:
                self._complained = True
                path = str(self._files[0])
                log.warning(
                    "client_certificate_unreadable",
                    path=path,
                    detail=_why(error),
                    action="have a certificate and its key written to these files; the last one"
                    " stays in use until it expires",
                )

    def _load(self, cert: Path, key: Path) -> None:
        seen = _stat(cert, key)
        # Loading replaces the certificate before it looks at the key, so a pair is tried out first.
        for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self.context):
            context.load_cert_chain(cert, key, password=_no_password)
        self._seen = seen
        self._complained = False


def _stat(*files: Path) -> _Seen:
    found = (path.stat() for path in files)
    return tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in found)


def _trusting() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        file = os.environ.get("SSL_CERT_FILE")
        name = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
        raise Misconfigured(
            f"{name}: found {os.environ.get(name)!r} ({_why(error)}), wanted certificates in PEM"
            " format"
        ) from error


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or error)


def _no_password() -> str:
    """Refuse a key with a password; OpenSSL would ask for it on the terminal and wait."""
    raise ValueError("the key has a password")
