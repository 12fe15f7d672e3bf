"""The members of `change`, as a schema has to name them where it names all that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumer.core.event.event import Crossing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from consumer.core.preflight.schema_room import Value

SEQUENCE: Final = "sequence"
STREAM: Final = "stream"

PLACE: Final[Mapping[str, str]] = {SEQUENCE: "0" * 40, STREAM: "2026-11-01T09:30:00.000"}
"""By which readers order the events of a key. Like those below with a value as events have them."""

OF_CHANGES: Final[Mapping[str, Value]] = {"ttl": True, "patch_omitted": True}
OF_VIEWS: Final[Mapping[str, Value]] = {crossing.value: True for crossing in Crossing}

OF_COMMANDS: Final[Mapping[str, Value]] = {
    "snapshot": "2026-11-01",
    "read_at": "2026-11-01T09:30:00.000Z",
    "touched": True,
}
"""What commands publish that send items again, beside the stream's changes."""

_ALL: Final[Mapping[str, Value]] = {**PLACE, **OF_CHANGES, **OF_VIEWS, **OF_COMMANDS}


def types_of(names: Iterable[str]) -> dict[str, str]:
    """Return the `type` that a schema gives each of these members."""
    return {name: "boolean" if _ALL[name] is True else "string" for name in names}
