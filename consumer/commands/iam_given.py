"""What a policy needs beside the settings: what the options of `consumer iam-policy` name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from consumer.errors import Misconfigured

if TYPE_CHECKING:
    import argparse


class Files(Struct, frozen=True):
    """Where exports are written: a bucket, and the prefix of their keys."""

    bucket: str
    prefix: str | None = None


class Touched(Struct, frozen=True):
    """The key attributes of the table, which a touch names beside its own."""

    keys: tuple[str, ...]


class Function(Struct, frozen=True):
    """Where a function logs, and the bucket for what its mapping throws away."""

    bucket: str
    log_group: str


Given = Files | Touched | Function

LOG_GROUP: Final = "/aws/lambda/*"

_PURPOSES: Final = {
    "keys": ("touch",),
    "bucket": ("repair", "lambda"),
    "log_group": ("lambda",),
    "prefix": ("repair",),
}
"""For which purposes an option is."""


def given(arguments: argparse.Namespace) -> Given | None:
    """Return what the options name.

    Raise Misconfigured if one is needed and not given, or given where it says nothing.
    """
    for name, purposes in _PURPOSES.items():
        if vars(arguments).get(name) is not None and arguments.purpose not in purposes:
            raise Misconfigured(
                f"--{name.replace('_', '-')}: found it beside --for {arguments.purpose}, wanted it"
                f" for {' or '.join(purposes)} only"
            )
    match arguments.purpose:
        case "repair":
            return Files(_bucket(arguments, "that repair writes to"), arguments.prefix)
        case "touch":
            return Touched(_keys(arguments))
        case "lambda":
            bucket = _bucket(arguments, "for what the mapping throws away")
            return Function(bucket, arguments.log_group or LOG_GROUP)
        case _:
            return None


def _keys(arguments: argparse.Namespace) -> tuple[str, ...]:
    found = tuple(each.strip() for each in (arguments.keys or "").split(",") if each.strip())
    if not found:
        raise Misconfigured("--keys: found nothing, wanted the table's key attributes, as pk,sk")
    return found


def _bucket(arguments: argparse.Namespace, what: str) -> str:
    if arguments.bucket is None:
        raise Misconfigured(f"--bucket: found nothing, wanted the bucket {what}")
    return str(arguments.bucket)
