"""Reads settings as text from a YAML file, the one that CONSUMER_CONFIG_FILE names.

No message of this module contains a value: it may be that of a secret.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from consumer.errors import Misconfigured
from consumer.settings.source import (
    FILE_VARIABLE,
    NO_SUGGESTION,
    PREFIX,
    ROUTES,
    Given,
    nearest,
    variable,
)
from consumer.settings.yaml_tree import lines_of, tree_of_yaml

if TYPE_CHECKING:
    from collections.abc import Collection

FILTER = "filter"
"""The setting whose text is JSON: a list of words is no value of it."""

LARGEST_FILE = 250_000
"""Bytes: ten times fifty routes with long filters. YAML of a few megabytes takes minutes."""

_NULL = "tag:yaml.org,2002:null"


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
            like = nearest(key.lower().removeprefix(PREFIX.lower()), known)
            wanted = f"perhaps {like!r}" if like else NO_SUGGESTION
            raise Misconfigured(
                f"{FILE_VARIABLE}: found the unknown key {key!r} in {line}, wanted {wanted}"
            )
        if key in given:
            raise Misconfigured(f"{source}: found the key a second time, wanted it once")
        if key == ROUTES and not isinstance(value_node, yaml.ScalarNode):
            tree, lines = tree_of_yaml(value_node, source), lines_of(value_node)
            given[key] = Given("", f"{variable(key)} ({path})", tree, lines)
            continue
        text = _filter(value_node, source) if key == FILTER else _text(value_node, source)
        if text.strip():
            given[key] = Given(text, source)
    return given


def _mapping(path: str) -> list[tuple[yaml.Node, yaml.Node]]:
    try:
        size = Path(path).stat().st_size
        if size > LARGEST_FILE:
            raise Misconfigured(
                f"{FILE_VARIABLE}: found {size} bytes in {path}, wanted {LARGEST_FILE} at most"
            )
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


def _filter(node: yaml.Node, source: str) -> str:
    if isinstance(node, yaml.ScalarNode):
        return _text(node, source)
    raise Misconfigured(
        f"{source}: found a nested value, wanted JSON as text, indented below `filter: |`; only the"
        " filter of a route is YAML"
    )


def _text(node: yaml.Node, source: str) -> str:
    match node:
        case yaml.ScalarNode():
            return "" if node.tag == _NULL else str(node.value)
        case yaml.SequenceNode() if all(isinstance(part, yaml.ScalarNode) for part in node.value):
            return ",".join(str(part.value) for part in node.value)
        case _:
            raise Misconfigured(f"{source}: found a nested value, wanted a plain one")
