"""The hosts for which the server shows the status page and `/status`.

A web page of a stranger can have its own name point at a worker (DNS rebinding). The browser of
somebody inside the network then lets that page read what the worker answers, because the name is
the page's own; but it sends that name in the header Host. So these two are shown only for names
that no stranger can own. Probes and metrics are for machines, and are answered for any host.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection


def is_own_host(header: str | None, allowed: Collection[str]) -> bool:
    """Return whether the header Host names this server, with or without a port.

    Own are IP addresses, names without a dot (`localhost`, a service in the same namespace, a
    container), and the names that are `allowed`, in lower case. A request without the header comes
    from no browser.
    """
    if header is None:
        return True
    try:
        name = urlsplit(f"//{header}").hostname
    except ValueError:
        return False
    if not name:
        return False
    name = name.removesuffix(".")
    return "." not in name.removesuffix(".localhost") or name in allowed or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
