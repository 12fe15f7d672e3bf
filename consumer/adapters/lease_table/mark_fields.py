"""The attributes of a mark in a lease row; `aheadTo` and `behind` are also in gap rows.

An invalid mark is none: the next owner then repeats from the checkpoint on, and loses nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from consumer.adapters.lease_table.row_fields import RowFields
from consumer.core.leases.checkpoint import sequence_of
from consumer.core.leases.mark import Ahead, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK: Final = ("aheadTo", "behind", "aheadTypes", "aheadCounter")
"""The attributes of a mark; they are written together."""


def mark_values(mark: Mark | None) -> dict[str, str | int | tuple[str, ...] | None]:
    """Return the attributes of a lease row's mark."""
    if mark is None:
        return dict.fromkeys(MARK)
    return {
        **ahead_values(mark.ahead),
        "aheadTypes": mark.ahead.event_types,
        "aheadCounter": mark.command_counter,
    }


def ahead_values(ahead: Ahead | None) -> dict[str, str | int | tuple[str, ...] | None]:
    """Return the attributes by which a row says what runs ahead."""
    if ahead is None:
        return {"aheadTo": None, "behind": None}
    return {"aheadTo": str(ahead.to), "behind": ahead.behind}


def mark_of(row: Mapping[str, Mapping[str, object]]) -> Mark | None:
    """Return the mark of a lease row, None if there is none or it cannot be read."""
    fields = RowFields(row)
    ahead, counter = ahead_of(row), fields.count("aheadCounter")
    known = fields.texts_if_any("aheadTypes") if "aheadTypes" in row else None
    if ahead is None or fields.unreadable is not None:
        return None
    return Mark(replace(ahead, event_types=known), counter)


def ahead_of(row: Mapping[str, Mapping[str, object]]) -> Ahead | None:
    """Return what a row says of what runs ahead, None if it says nothing that can be read."""
    fields = RowFields(row)
    to, behind = sequence_of(fields.text_if_any("aheadTo") or ""), fields.texts_if_any("behind")
    return None if to is None or not behind else Ahead(to, tuple(sorted(set(behind))))
