"""The proxies of the environment, by which AWS and Nakadi are reached."""

from __future__ import annotations

import re
from urllib.request import getproxies

from consumer.core.host import HOST_PATTERN, is_host
from consumer.errors import Misconfigured

_SCHEMES = ("http", "https", "all")
_PROXY = re.compile(
    rf"""(https?://)?([^\s/?#"\\]*@)?(?P<host>{HOST_PATTERN})(:(?P<port>[0-9]{{1,5}}))?/?""",
    re.IGNORECASE,
)


def check_proxies() -> None:
    """Raise Misconfigured for a proxy that cannot be used. The message does not quote it.

    A client that is given such a URL quotes it, or a part of the password that it takes for a port,
    in an error at every request.
    """
    for scheme, text in getproxies().items():
        if scheme in _SCHEMES and not _is_proxy(text):
            raise Misconfigured(
                f"{scheme.upper()}_PROXY: found a value that is not shown, wanted"
                " http://host:port or http://user:password@host:port; in user and password,"
                " write special characters as % and two digits"
            )


def _is_proxy(text: str) -> bool:
    found = _PROXY.fullmatch(text)
    return found is not None and is_host(found["host"]) and int(found["port"] or 0) <= 65535
