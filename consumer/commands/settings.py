"""`consumer settings`: prints every setting with unit, default and meaning, also for the README.

It reads no settings, so it works without any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from msgspec import Struct

from consumer.commands.columns import columns
from consumer.settings.error import meaning_of
from consumer.settings.rules import RULES
from consumer.settings.settings import Settings
from consumer.settings.source import FILE_VARIABLE, variable
from consumer.settings.types import DefaultText, Unit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from pydantic.fields import FieldInfo

MEANING_WIDTH = 72

INTRODUCTION = (
    "Settings are environment variables, or the same keys in lower case without the prefix in the"
    f" YAML file named by {FILE_VARIABLE}. The environment wins, an empty value counts as unset,"
    " and unknown names are refused. Times are a day at most, the age of changes a year. AWS"
    " region, credentials and endpoints are set the standard way: AWS_REGION, AWS_ENDPOINT_URL,"
    " AWS_ENDPOINT_URL_DYNAMODB,"
    " AWS_ENDPOINT_URL_DYNAMODB_STREAMS, AWS_ENDPOINT_URL_SQS. So are private certificate"
    " authorities (SSL_CERT_FILE for Nakadi, AWS_CA_BUNDLE for AWS) and proxies (HTTPS_PROXY,"
    " HTTP_PROXY, NO_PROXY)."
)


class SettingLine(Struct, frozen=True):
    """One line of the table."""

    name: str
    unit: str
    default: str
    meaning: str


def run(arguments: argparse.Namespace, _: Mapping[str, str], out: TextIO) -> int:
    """Print the table, as aligned text or as Markdown; return 0."""
    out.write(as_markdown() if arguments.markdown else as_text())
    return 0


def setting_lines() -> list[SettingLine]:
    """Return all settings in the order in which they are defined."""
    return [
        SettingLine(variable(name), _unit(field), _default(field), meaning_of(Settings, name))
        for name, field in Settings.model_fields.items()
    ]


def rules() -> list[str]:
    """Return the rules between settings, one line each."""
    return [f"{', '.join(variable(name) for name in rule.names)}: {rule.wanted}." for rule in RULES]


def as_text() -> str:
    """Return the table for a terminal."""
    rows = [("variable", "unit", "default", "meaning")]
    rows += [
        (each.name, each.unit, each.default, each.meaning.replace("`", ""))
        for each in setting_lines()
    ]
    prose = columns([(INTRODUCTION,)], last_width=100)
    return f"{prose}\n{columns(rows, MEANING_WIDTH)}\nWhat must hold:\n" + "".join(
        f"  {rule}\n" for rule in rules()
    )


def as_markdown() -> str:
    """Return the table for the README."""
    lines = [INTRODUCTION, "", "| variable | unit | default | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{each.name}` | {each.unit} | {each.default} | {each.meaning.replace('|', '&#124;')} |"
        for each in setting_lines()
    ]
    lines += ["", "What must hold:", "", *(f"- {rule}" for rule in rules())]
    return "\n".join(lines) + "\n"


def _unit(field: FieldInfo) -> str:
    """Return the unit of a field: of its type, or of the type inside an optional one."""
    optional = [mark for kind in get_args(field.annotation) for mark in get_args(kind)]
    return next((each.name for each in [*field.metadata, *optional] if isinstance(each, Unit)), "")


def _default(field: FieldInfo) -> str:
    for each in field.metadata:
        if isinstance(each, DefaultText):
            return each.text
    if field.is_required():
        return "required"
    match field.default:
        case None:
            return "unset"
        case bool(value):
            return str(value).lower()
        case float(value):
            return f"{value:g}"
        case value:
            return str(value)
