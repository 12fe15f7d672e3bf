"""Renders the chart's alert rules without Helm: `python -m localdev.observability.rules`.

It understands as much of Helm's `tpl` as helm/files/alerts.yaml uses (variables, paths, strings,
`default`, `int64`, `include "consumer.name"`, comments, trimmed white space) and refuses everything
else.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "helm/files/alerts.yaml"
RENDERED = Path(__file__).parent / "rules.yml"
RUNBOOK = "docs/runbook.md"

ALERTS: Mapping[str, object] = {
    "ageWarningSeconds": 3600,
    "agePageSeconds": 43200,
    "retentionSeconds": 86400,
    "oldestDeadLetterSeconds": 259200,
    "routeSilenceSeconds": 86400,
    "pageSeverity": "page",
    "warningSeverity": "warning",
    "runbookUrl": RUNBOOK,
    "freshnessObjective": 0.999,
    "freshnessSeconds": 60,
}
LOCAL: Mapping[str, object] = {
    "Values": {"alerts": ALERTS, "config": {"event_type": "order-store.order"}},
    "Release": {"Name": "local", "Namespace": "local"},
    "Chart": {"Name": "dynamodb-nakadi-consumer"},
}
"""The values of the chart that match docker-compose.yml."""

NAME_CHARACTERS = 44

_ACTION = re.compile(
    r"\{\{(-?)\s*(/\*.*?\*/|(?:`[^`]*`|\"[^\"]*\"|[^`\"}])*?)\s*(-?)\}\}", re.DOTALL
)
_ASSIGNMENT = re.compile(r"(\$\w+)\s*:=\s*(.+)", re.DOTALL)


def render(text: str, root: Mapping[str, object]) -> str:
    """Fill a template with the values that Helm calls `.`. Raise ValueError for unknown syntax."""
    variables: dict[str, object] = {}
    out, at, trim = "", 0, False
    for action in _ACTION.finditer(text):
        between = text[at : action.start()]
        between = between.lstrip() if trim else between
        out += between.rstrip() if action[1] else between
        assignment = _ASSIGNMENT.fullmatch(action[2])
        if assignment is not None:
            variables[assignment[1]] = _value(assignment[2], root, variables)
        elif not action[2].startswith("/*"):
            out += str(_value(action[2], root, variables))
        at, trim = action.end(), bool(action[3])
    return out + (text[at:].lstrip() if trim else text[at:])


def _value(pipeline: str, root: Mapping[str, object], variables: Mapping[str, object]) -> object:
    first, *rest = (part.strip() for part in re.split(r"\|(?=\s*default )", pipeline))
    value = _operand(first, root, variables)
    for default in rest:
        value = value or _operand(default.removeprefix("default").strip(), root, variables)
    if value is None:
        raise ValueError(f"nothing at {pipeline}")
    return value


def _operand(word: str, root: Mapping[str, object], variables: Mapping[str, object]) -> object:
    if word[0] in '`"':
        return word[1:-1]
    if word in variables:
        return variables[word]
    if word == 'include "consumer.name" .':
        return _consumer_name(root)
    if word.startswith("int64 "):
        return int(str(_operand(word.removeprefix("int64 "), root, variables)))
    if not re.fullmatch(r"(\.\w+)+", word):
        raise ValueError(f"not understood: {word}")
    value: object = root
    for name in word[1:].split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _consumer_name(root: Mapping[str, object]) -> str:
    """Return the beginning of the names of a release's resources, as helm/templates/_names.tpl."""
    full = _operand(".Values.fullnameOverride", root, {})
    if full:
        return str(full)
    chart = str(_value(".Values.nameOverride | default .Chart.Name", root, {}))
    release = str(_value(".Release.Name", root, {}))
    name = release if chart in release else f"{release}-{chart}"
    return name[:NAME_CHARACTERS].removesuffix("-")


def main() -> int:
    """Write the rules of docker-compose's Prometheus; with `--check` only compare them."""
    rendered = render(SOURCE.read_text(), LOCAL)
    if sys.argv[1:] == ["--check"]:
        return int(rendered != RENDERED.read_text())
    RENDERED.write_text(rendered)
    return 0


if __name__ == "__main__":
    sys.exit(main())
