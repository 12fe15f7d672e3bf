"""The selection: which attributes of an item an event type shows, and under which names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.event.attribute_path import AttributePath


@dataclass(frozen=True, slots=True)
class Selection:
    """What is shown: `include` (None: everything), less `exclude`, then renamed.

    `rename` has pairs of a top-level attribute's name in the table and in the event. `replication`
    says whether attributes `aws:rep:…` of global tables are shown without being included.
    """

    include: tuple[AttributePath, ...] | None = None
    exclude: tuple[AttributePath, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    replication: bool = False
