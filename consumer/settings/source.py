"""Reads settings as text from the environment, and knows what both sources have in common.

An unknown name is an error that suggests a known name if one is like it, because a misspelt limit
that is ignored would be noticed weeks later. An empty value counts as unset, because templates of
charts and compose files produce such variables.

No message of this module contains a value: the misspelt name may be that of a secret.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, NamedTuple

from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PREFIX = "CONSUMER_"
FILE_VARIABLE = "CONSUMER_CONFIG_FILE"
HTTP_PORT = 8080
"""The default port. It is here because `consumer health` does not load the other settings."""

LIKENESS = 0.7
"""Part of the letters that a misspelt name and a suggestion share, in order. Less is chance."""

NO_SUGGESTION = "one of those that `consumer settings` prints"

# Variables that Kubernetes sets for every Service whose name begins with "consumer".
_SERVICE_LINK = re.compile(
    r"CONSUMER_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_.+)?)"
)
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


ROUTES = "routes"
"""The one setting that is a list of objects."""


class Given(NamedTuple):
    """The text of one setting. `source` names the variable, and the file and line if it has one.

    `tree` is the value of a list in the file, which has no text; `lines` are those on which its
    elements begin. It is a named tuple because `consumer health` has no time to import msgspec.
    """

    text: str
    source: str
    tree: object = None
    lines: tuple[int, ...] = ()


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def read_environment(environ: Mapping[str, str], known: Collection[str] | None) -> dict[str, Given]:
    """Return the settings among environment variables. Raise Misconfigured."""
    given = {}
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name == FILE_VARIABLE or _injected(name, text, known):
            continue
        key = name.removeprefix(PREFIX).lower()
        if known is not None and (variable(key) != name or key not in known):
            like = nearest(key, [*known, "config_file"])
            wanted = f"perhaps {variable(like)}" if like else NO_SUGGESTION
            raise Misconfigured(f"{name}: found an unknown variable, wanted {wanted}")
        if text.strip():
            given[key] = Given(text, name)
    return given


def _injected(name: str, text: str, known: Collection[str] | None) -> bool:
    """Return whether Kubernetes has set a variable, and not the operator.

    A Service named consumer-http sets CONSUMER_HTTP_PORT=tcp://…, which is also a setting.
    """
    if _SERVICE_ADDRESS.match(text):
        return name.endswith("_PORT") or name.removeprefix(PREFIX).lower() not in (known or ())
    return _SERVICE_LINK.fullmatch(name) is not None


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most like this one, None if none is like it."""
    return next(iter(difflib.get_close_matches(name.lower(), sorted(known), 1, LIKENESS)), None)
