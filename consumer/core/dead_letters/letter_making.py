"""How a dead letter is made of an event or a record that cannot be published.

Rules
- What a route leaves out is not in its letters: the record is reduced as its events are. Where that
  cannot be done, nothing of the record is kept.
- A record that could not be read at all belongs to no route. It is kept only if no route hides
  anything, and it cannot have the touch attribute: nobody can say where in it that is.
- The ordering key is kept as a digest if the route does not show each part of it.
- The record stands beside an event of a route that reshapes it, so that another event can be made
  of it when the rules have changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from consumer.core.dead_letters.letter_content import RECORD, EventMembers
from consumer.core.dead_letters.letter_key import digest_of
from consumer.core.event.event import Category, Unbuildable
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.seen_record import seen_record
from consumer.core.event.touch import touch_attribute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.dead_letters.dead_letter import DeadLetter
    from consumer.core.event.event import Event, EventFormat
    from consumer.core.routes.route import Route


def is_of_no_route(content: Event | Unbuildable, route: Route) -> bool:
    """Return whether this is a record that could not be read at all, where there are `routes`.

    It is queued with the first of them, `route`. Without `routes` it belongs to the event type.
    """
    return content.unreadable and not route.single


def filled(
    blank: DeadLetter, content: Event | Unbuildable, route: Route, routes: Iterable[Route]
) -> DeadLetter:
    """Return the letter with what may be kept of an event or record of `route`.

    `truncated` is `("record",)` if nothing of a record may be kept. `routes` are all of them.
    """
    blank = replace(blank, stream_prefix=route.format.stream_prefix)
    if is_of_no_route(content, route):
        letter = replace(blank, event_type="", route="", rules=None)
    else:
        letter = _of_route(blank, content, route)
    if isinstance(content, Unbuildable) and content.body is None:
        hidden = content.unreadable and _may_hide(content.record, routes)
        record = None if hidden else content.record
        return replace(letter, record=record, truncated=(RECORD,) if record is None else ())
    if not route.format.reshapes or content.record is None:
        return letter
    if isinstance(content, Unbuildable):
        return replace(letter, record=content.record)  # it is reduced already
    return replace(letter, record=_seen(content.record, route.format))


def _may_hide(record: bytes | None, routes: Iterable[Route]) -> bool:
    """Return whether a record that cannot be read may hold what a route hides, or a touch."""
    return any(
        each.format.hides or touch_attribute(each.format.touch_attribute).may_be_in(record or b"")
        for each in routes
    )


def _of_route(blank: DeadLetter, content: Event | Unbuildable, route: Route) -> DeadLetter:
    """Return the letter with everything but the record."""
    key = content.ordering_key
    return replace(
        blank,
        route=route.title,
        rules=route.rules,
        sequence=content.sequence,
        eid=content.eid,
        ordering_key=key if key is None or _shows_key(route.format) else digest_of(key),
        crossing=content.crossing,
        event=content.body,
        members=_members(route),
    )


def _seen(record: bytes, form: EventFormat) -> bytes | None:
    """Return what the route shows of a record, None if that cannot be told from the rest."""
    try:
        return seen_record(record, form)
    except MalformedItem:
        return None


def _shows_key(form: EventFormat) -> bool:
    return all(form.key_name(name) is not None for name in form.ordering_key)


def _members(route: Route) -> EventMembers:
    form = route.format
    names = (form.key_name(name) for name in route.keys)
    return EventMembers(
        patch=form.patch_member,
        change=form.change_field,
        keys=tuple(name for name in names if name is not None),
        business=form.category is Category.BUSINESS,
    )
