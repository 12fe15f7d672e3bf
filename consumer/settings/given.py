"""Collects the settings that are given as text. Rule: the environment wins over the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.settings.source import FILE_VARIABLE, Given, read_environment

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def collect(environ: Mapping[str, str], known: Collection[str] | None) -> dict[str, Given]:
    """Return all given settings by lower-case name. Raise Misconfigured for an unknown name.

    If `known` is None, every name is accepted.
    """
    path = environ.get(FILE_VARIABLE, "")
    given: dict[str, Given] = {}
    if path:
        # YAML would take a fifth of the time of `consumer health`, and many services have no file.
        from consumer.settings.file import read_file  # noqa: PLC0415

        given = read_file(path, known)
    return {**given, **read_environment(environ, known)}
