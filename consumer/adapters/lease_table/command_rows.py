"""Rows of commands in the lease table: `command/<table>/<label>/<number>`.

Values and attributes are converted as in `lease_rows`.
"""

from __future__ import annotations

import re
from typing import Final

from consumer.adapters.lease_table.lease_rows import KEY, Row, RowValue, key_of
from consumer.adapters.lease_table.row_fields import RowFields, Unreadable
from consumer.core.leases.checkpoint import LATEST
from consumer.core.leases.command import Action, Command, is_target

_COMMAND_NUMBER: Final = re.compile(r"[0-9]{10}")


def command_key(stream_key: str, number: int) -> str:
    """Return the key of a command row; its number has ten digits, so that keys sort by number."""
    return f"command/{stream_key}/{number:010d}"


def command_values(command: Command) -> dict[str, RowValue]:
    """Return the attributes of a command row."""
    return {
        "action": command.action.value,
        "shards": command.shards,
        "target": command.target,
        "issuedAt": command.issued_at,
        "issuedBy": command.issued_by,
        "token": command.token,
        "reason": command.reason or None,
        "eventType": command.event_type,
    }


def command_of(row: Row) -> Command | Unreadable:
    """Convert a command row, or name what is wrong with it."""
    fields, key = RowFields(row), key_of(row)
    number = _COMMAND_NUMBER.fullmatch(key.rpartition("/")[2])
    if number is None:
        return Unreadable(key, KEY)
    name, target = fields.text("action"), fields.text_if_any("target")
    shards = fields.texts("shards") if "shards" in row else None
    issued_at = fields.time("issuedAt")
    issued_by = fields.text_if_any("issuedBy", empty=True)
    token = fields.text_if_any("token", empty=True)
    reason = fields.text_if_any("reason", empty=True)
    event_type = fields.text_if_any("eventType")
    seeks = name in (Action.SEEK, Action.SEEK_EVENT_TYPE)
    again = name == Action.SEEK_EVENT_TYPE
    if name not in frozenset(Action):
        fields.note("action")
    elif seeks and (not is_target(target) or (again and target == LATEST)):
        fields.note("target")
    elif seeks and shards is None:
        fields.note("shards")
    elif again and event_type is None:
        fields.note("eventType")
    if fields.unreadable is not None:
        return Unreadable(key, fields.unreadable)
    return Command(
        number=int(number[0]),
        action=Action(name),
        shards=shards,
        target=target,
        issued_at=issued_at,
        issued_by=issued_by or "",
        token=token or "",
        reason=reason or "",
        event_type=event_type,
    )
