"""Reads settings as text from the environment and from a YAML file.

The environment wins over the file. An unknown name is an error that suggests a known name if one
is like it, because a misspelt limit that is ignored would be noticed weeks later. An empty value
counts as unset, because templates of charts and compose files produce such variables.

No message of this module contains a value: the misspelt name may be that of a secret.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from consumer.errors import Misconfigured
from consumer.settings.yaml_tree import lines_of, tree_of_yaml

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
_NULL = "tag:yaml.org,2002:null"


ROUTES = "routes"
"""The one setting that is a list of objects."""


@dataclass(frozen=True, slots=True)
class Given:
    """The text of one setting. `source` names the variable, and the file and line if it has one.

    `tree` is the value of a list in the file, which has no text; `lines` are those on which its
    elements begin.
    """

    text: str
    source: str
    tree: object = None
    lines: tuple[int, ...] = ()


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def collect(environ: Mapping[str, str], known: Collection[str] | None) -> dict[str, Given]:
    """Return all given settings by lower-case name. Raise Misconfigured for an unknown name.

    If `known` is None, every name is accepted.
    """
    path = environ.get(FILE_VARIABLE, "")
    return {**(read_file(path, known) if path else {}), **read_environment(environ, known)}


def read_environment(environ: Mapping[str, str], known: Collection[str] | None) -> dict[str, Given]:
    """Return the settings among environment variables. Raise Misconfigured."""
    given = {}
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name == FILE_VARIABLE or _injected(name, text, known):
            continue
        key = name.removeprefix(PREFIX).lower()
        if known is not None and (variable(key) != name or key not in known):
            nearest = _nearest(key, [*known, "config_file"])
            wanted = f"perhaps {variable(nearest)}" if nearest else NO_SUGGESTION
            raise Misconfigured(f"{name}: found an unknown variable, wanted {wanted}")
        if text.strip():
            given[key] = Given(text, name)
    return given


def read_file(path: str, known: Collection[str] | None) -> dict[str, Given]:
    """Return the settings in a YAML file, which is a mapping. Raise Misconfigured.

    It is flat but for the list of routes. A list of words is joined with commas. Values are kept as
    they are written, so that both sources follow the same rules, and YAML does not turn a token
    into an octal number.
    """
    given: dict[str, Given] = {}
    for key_node, value_node in _mapping(path):
        key = _text(key_node, FILE_VARIABLE)
        line = f"line {key_node.start_mark.line + 1} of {path}"
        source = f"{variable(key)} ({line})"
        if known is not None and key not in known:
            nearest = _nearest(key.lower().removeprefix(PREFIX.lower()), known)
            wanted = f"perhaps {nearest!r}" if nearest else NO_SUGGESTION
            raise Misconfigured(
                f"{FILE_VARIABLE}: found the unknown key {key!r} in {line}, wanted {wanted}"
            )
        if key in given:
            raise Misconfigured(f"{source}: found the key a second time, wanted it once")
        if key == ROUTES and not isinstance(value_node, yaml.ScalarNode):
            tree, lines = tree_of_yaml(value_node, source), lines_of(value_node)
            given[key] = Given("", f"{variable(key)} ({path})", tree, lines)
            continue
        text = _text(value_node, source)
        if text.strip():
            given[key] = Given(text, source)
    return given


def _injected(name: str, text: str, known: Collection[str] | None) -> bool:
    """Return whether Kubernetes has set a variable, and not the operator.

    A Service named consumer-http sets CONSUMER_HTTP_PORT=tcp://…, which is also a setting.
    """
    if _SERVICE_ADDRESS.match(text):
        return name.endswith("_PORT") or name.removeprefix(PREFIX).lower() not in (known or ())
    return _SERVICE_LINK.fullmatch(name) is not None


def _nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most like this one, None if none is like it."""
    return next(iter(difflib.get_close_matches(name.lower(), sorted(known), 1, LIKENESS)), None)


def _mapping(path: str) -> list[tuple[yaml.Node, yaml.Node]]:
    try:
        text = Path(path).read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise Misconfigured(f"{FILE_VARIABLE}: found {path!r}, wanted UTF-8 text") from None
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise Misconfigured(
            f"{FILE_VARIABLE}: found {path!r} ({reason}), wanted a readable file"
        ) from None
    except RecursionError:
        raise Misconfigured(
            f"{FILE_VARIABLE}: found objects and lists too deep in one another in {path}, wanted"
            " fewer"
        ) from None
    except yaml.YAMLError as error:
        # Only the position: PyYAML's own message quotes the file, which may have a token.
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1} of " if mark else ""
        raise Misconfigured(
            f"{FILE_VARIABLE}: found a syntax error in {where}{path}, wanted YAML"
        ) from None
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise Misconfigured(f"{FILE_VARIABLE}: found no mapping in {path}, wanted key: value lines")
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
    return pairs


def _text(node: yaml.Node, source: str) -> str:
    match node:
        case yaml.ScalarNode():
            return "" if node.tag == _NULL else str(node.value)
        case yaml.SequenceNode() if all(isinstance(part, yaml.ScalarNode) for part in node.value):
            return ",".join(str(part.value) for part in node.value)
        case _:
            raise Misconfigured(f"{source}: found a nested value, wanted a plain one")
