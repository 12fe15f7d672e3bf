"""The proxies of the environment, by which AWS and Nakadi are reached."""

from __future__ import annotations

import re
from urllib.request import getproxies

from consumer.errors import Misconfigured

_SCHEMES = ("http", "https", "all")
_PROXY = re.compile(
    r"""(https?://)?([^\s/?#"\\]*@)?([^\[\]/:?#@\s]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/?""",
    re.IGNORECASE,
)


def check_proxies() -> None:
    """Raise Misconfigured for a proxy that cannot be used. The message does not quote it.

    A client that is given such a URL quotes it, or a part of the password that it takes for a port,
    in an error at every request.
    """
    for scheme, text in getproxies().items():
        found = _PROXY.fullmatch(text)
        if scheme in _SCHEMES and (found is None or int((found[4] or ":0")[1:]) > 65535):
            raise Misconfigured(
                f"{scheme.upper()}_PROXY: found a value that is not shown, wanted"
                " http://host:port or http://user:password@host:port; in user and password,"
                " write special characters as % and two digits"
            )
