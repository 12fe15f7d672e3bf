"""helm/values.yaml with its comments: the source of the chart's README table and of its schema."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

CHART = Path(__file__).parents[2] / "helm"
VALUES = CHART / "values.yaml"

_KEY = re.compile(r"(?P<indent> *)(?P<key>\w+):(?P<rest>.*)")
_EXPLAINED = "# -- "


@dataclass(frozen=True, slots=True)
class Value:
    """A value that an operator may set: where it stands, its default, and what it means."""

    path: tuple[str, ...]
    default: object
    meaning: str

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def shown(self) -> str:
        """The default, as it is written on a command line."""
        return json.dumps(self.default)


def explained() -> list[Value]:
    """All values with a comment, in the order of the file."""
    defaults = yaml.safe_load(VALUES.read_text())
    found: list[Value] = []
    parents: list[str] = []
    text: list[str] = []
    for line in VALUES.read_text().splitlines():
        bare = line.strip()
        if bare.startswith(_EXPLAINED):
            text = [bare.removeprefix(_EXPLAINED)]
        elif bare.startswith("#") and text:
            text.append(bare.removeprefix("# "))
        elif key := _KEY.fullmatch(line):
            path = (*parents[: len(key["indent"]) // 2], key["key"])
            if text:
                found.append(Value(path, _at(defaults, path), " ".join(text)))
            parents, text = list(path), []
    return found


def leaves(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Where the file has a value rather than a group."""
    if not isinstance(value, dict) or not value:
        return [path]
    return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]


def _at(values: object, path: tuple[str, ...]) -> object:
    for key in path:
        assert isinstance(values, dict), path
        values = values[key]
    return values
