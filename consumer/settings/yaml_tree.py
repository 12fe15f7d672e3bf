"""YAML as a tree, for the one setting that is a list: names as written, values as they are meant.

YAML reads an unquoted `NO` as false, `7` as a number and `2026-11-01` as a date. Names are always
text here. A value that YAML reads as something that JSON does not have is refused; the others keep
their kind, so that a filter can refuse what must be text (`core.routes.language.pattern`).
"""

from __future__ import annotations

import re
from typing import Final

import yaml

from consumer.core.routes.language.json_tree import Members
from consumer.core.routes.language.numeral import Numeral
from consumer.errors import Misconfigured

MOST_NODES: Final = 100_000
"""Most values of a list, those of repeated anchors among them."""

DEEPEST: Final = 250
"""Objects and lists in one another. A filter has 200 at most."""

_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset({"yes", "true", "on"})
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def tree_of_yaml(node: yaml.Node, source: str) -> object:
    """Return the tree of a node. Raise Misconfigured, with the line in the file.

    `source` names the setting. No message contains a value: filters may name people.
    """
    return _Reader(source).tree(node)


def lines_of(node: yaml.Node) -> tuple[int, ...]:
    """Return the lines on which the elements of a list begin; none of what is no list."""
    if not isinstance(node, yaml.SequenceNode):
        return ()
    return tuple(each.start_mark.line + 1 for each in node.value)


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._left = MOST_NODES

    def tree(self, node: yaml.Node, depth: int = 0) -> object:
        self._left -= 1
        if not self._left:
            raise self._bad(node, f"more than {MOST_NODES} values", "fewer")
        if depth > DEEPEST:
            raise self._bad(node, f"more than {DEEPEST} objects and lists in one another", "fewer")
        match node:
            case yaml.MappingNode():
                return self._members(node, depth + 1)
            case yaml.SequenceNode():
                return [self.tree(each, depth + 1) for each in node.value]
            case _:
                return self._scalar(node)

    def _members(self, node: yaml.MappingNode, depth: int) -> Members:
        members: dict[object, object] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._bad(key, "a key that is no text", "the name of a member")
            if key.value in members:
                raise self._bad(key, f"the key {key.value!r} a second time", "it once")
            members[key.value] = self.tree(value, depth)
        return Members(members.items())

    def _scalar(self, node: yaml.Node) -> object:
        text: str = node.value
        match node.tag.removeprefix(_TAG):
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() in _TRUE
            case "int" | "float" if _NUMBER.fullmatch(text):
                return Numeral(text)
            case kind:
                found = {"timestamp": "a date", "int": "a number", "float": "a number"}
                what = found.get(kind, f"a value with the tag {node.tag}")
                raise self._bad(node, f"{what} in YAML's own form", "text: quote it")

    def _bad(self, node: yaml.Node, found: str, wanted: str) -> Misconfigured:
        line = node.start_mark.line + 1
        return Misconfigured(f"{self._source}: found {found} in line {line}, wanted {wanted}")
