"""Whether event types take what is published again, looked at before anything is.

A definition that refuses every such event would refuse them one by one, for as many as there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from consumer.core.preflight.change_members import types_of
from consumer.core.preflight.check_result import Severity, event_type_refusal
from consumer.core.preflight.event_definition import judge, parse_definition, shut_out
from consumer.core.preflight.route_check import called
from consumer.core.stream.stream import ViewType
from consumer.errors import Misconfigured, Retryable
from consumer.preflight import shape

if TYPE_CHECKING:
    from collections.abc import Collection

    from consumer.adapters.nakadi import Nakadi
    from consumer.core.routes.route import Route

OF_READINGS: Final = ("stream", "snapshot", "read_at")
"""What `change` has in an S or D of an item that was read."""

OF_TOUCHES: Final = ("stream", "touched")
"""What `change` has in the event of an item that was touched."""


class Unseen(Struct, frozen=True):
    """Why the definition of an event type could not be looked at."""

    why: str


async def check_event_type(
    nakadi: Nakadi, route: Route, members: Collection[str]
) -> bytes | Unseen:
    """Return the definition of a route's event type, as Nakadi shows it.

    Raise Misconfigured if it can never take the events, which have these members in `change`.
    """
    try:
        status, body, flow_id = await nakadi.event_type()
    except Retryable as error:
        return Unseen(str(error))
    name = called(route)
    if status != 200:
        refusal = event_type_refusal(name, status, flow_id, route.setting("event_type"))
        if refusal.severity is Severity.WRONG:
            raise Misconfigured(f"{refusal.result}; {refusal.remedy}")
        return Unseen(refusal.result)
    definition = parse_definition(body)
    if definition is None:
        return Unseen("an answer that is no event type")
    events = shape(route, ViewType.NEW_AND_OLD_IMAGES)
    for found in judge(name, definition, events, route.format.category):
        if found.severity is Severity.WRONG:
            raise Misconfigured(f"{route.setting()}: {found.result}; {found.remedy}")
    lacking = [member for member in shut_out(definition, events) if member in members]
    if lacking:
        added = ", ".join(
            f'"{one}": {{"type": "{kind}"}}' for one, kind in types_of(lacking).items()
        )
        raise Misconfigured(
            f"{route.setting()}: {name}: the schema's {route.format.change_member} has no"
            f" {' and no '.join(lacking)}; add to its properties: {added}"
        )
    return body
