"""The digest of a route's rules: whether an event of a dead letter is one that it makes today.

Rules
- It covers all that decides an event's bytes but the record: event type and format. It covers
  neither filter and `changed`, which say whether there is an event, nor limits, among them the size
  above which an event loses its patch. The ordering key, too, decides no byte. The prefix of the
  stream says where an event stands among others, and a letter has it beside its event.
- It is the same in every process and version. What has its default is left out, so a new field of
  the format changes no digest of routes that do not use it.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from consumer.core.event.event import EventFormat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.event.selection.attribute_path import AttributePath
    from consumer.core.event.selection.selection import Selection

DIGITS: Final = 32

_Json = str | bool | None | list["_Json"] | dict[str, "_Json"]


def digest(event_type: str, form: EventFormat) -> str:
    """Return the digest of the rules by which events of this format are made."""
    plain = EventFormat(form.data_type, ())
    selection = None if form.selection is None else _of_selection(form.selection)
    optional: dict[str, tuple[_Json, _Json]] = {
        "patch": (form.patch_member, plain.patch_member),
        "change": (form.change_member, plain.change_member),
        "layout": (form.layout.value, plain.layout.value),
        "selection": (selection, None),
        "category": (form.category.value, plain.category.value),
        "body": (form.body, plain.body),
        "metadata": ({**form.metadata.shown(None)}, {}),
        "eid": (form.eid_event_type, plain.eid_event_type),
    }
    rules: dict[str, _Json] = {"event_type": event_type, "data_type": form.data_type}
    rules |= {name: value for name, (value, default) in optional.items() if value != default}
    text = json.dumps(rules, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:DIGITS]


def _of_selection(seen: Selection) -> _Json:
    rules: dict[str, _Json] = {}
    if seen.include is not None:
        rules["include"] = _paths(seen.include)
    if seen.exclude:
        rules["exclude"] = _paths(seen.exclude)
    if seen.rename:
        rules["rename"] = dict(seen.rename)
    if seen.replication:
        rules["replication"] = True
    return rules


def _paths(paths: Iterable[AttributePath]) -> _Json:
    """Return the paths without their order, which decides nothing."""
    return [list(path.names) for path in sorted(set(paths))]
