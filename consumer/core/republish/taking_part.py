"""Which routes take part in publishing items again, and which never can.

A route of category `business` never does: an outbox is not sent twice. Neither does a filter that
asks for what only a change has, such as an old image: an item is matched as its INSERT, and one
that is gone as its REMOVE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.event.event import Category
from consumer.core.republish.item_record import EVENT_SOURCE, region_of
from consumer.core.routes.filters.place import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from consumer.core.routes.filters.branch import Check
    from consumer.core.routes.filters.lambda_filter import Filter
    from consumer.core.routes.route import Route

OUTBOX = "its events are business events: an outbox is not sent twice"
NOT_NAMED = "not named with --route"
CHANGED = "it takes changes of attributes that it names, and a touch changes none"

_ABSENT = {"INSERT": Source.OLD_IMAGE, "REMOVE": Source.NEW_IMAGE}
"""The image that is not in such a record. A MODIFY has both."""


class Participation(Struct, frozen=True):
    """The routes of a run, in their order, and each of the others with the reason.

    `named` are the event types whose routes were named: what is gone, and known by its keys alone,
    goes only to these.
    """

    taking: tuple[Route, ...]
    others: tuple[tuple[Route, str], ...]
    named: frozenset[str] = frozenset()


def taking_part(
    routes: Sequence[Route], names: Collection[str], stream_arn: str, *, removes: bool = True
) -> Participation:
    """Return which routes take part: all that can, or those of these names (or event types).

    `removes` says whether items that are gone are matched, too, with their last image.
    """
    taking: list[Route] = []
    others: list[tuple[Route, str]] = []
    for route in routes:
        never = _never(route, stream_arn, removes=removes)
        if never is not None:
            others.append((route, never))
        elif names and not _named(route, names):
            others.append((route, NOT_NAMED))
        else:
            taking.append(route)
    named = frozenset(route.event_type for route in taking) if names else frozenset()
    return Participation(tuple(taking), tuple(others), named)


def touched(routes: Sequence[Route], stream_arn: str) -> Participation:
    """Return which routes can make an event of an item that is touched: of its MODIFY."""
    taking: list[Route] = []
    others: list[tuple[Route, str]] = []
    for route in routes:
        never = OUTBOX if route.format.category is Category.BUSINESS else None
        never = never or (CHANGED if route.changed else None)
        if never is None and route.filter is not None:
            path = _hindrance(route.filter, route.keys, "MODIFY", stream_arn)
            never = path and f"its filter asks for {path}, and a touch is a MODIFY"
        if never is None:
            taking.append(route)
        else:
            others.append((route, never))
    return Participation(tuple(taking), tuple(others))


def unknown_names(routes: Sequence[Route], names: Collection[str]) -> list[str]:
    """Return those of these names that no route has."""
    known = {name for route in routes for name in (route.title, route.event_type)}
    return [name for name in names if name not in known]


def _named(route: Route, names: Collection[str]) -> bool:
    return route.title in names or route.event_type in names


def _never(route: Route, stream_arn: str, *, removes: bool) -> str | None:
    """Return why a route can take no item, None if it can."""
    if route.format.category is Category.BUSINESS:
        return OUTBOX
    if route.filter is None:
        return None
    inserted = _hindrance(route.filter, route.keys, "INSERT", stream_arn)
    if inserted is None or (
        removes and _hindrance(route.filter, route.keys, "REMOVE", stream_arn) is None
    ):
        return None
    return f"its filter asks for {inserted}, and an item is matched as its INSERT"


def _hindrance(asked: Filter, keys: Sequence[str], event_name: str, stream_arn: str) -> str | None:
    """Return the path by which a filter can never match such a record, None if it can.

    Of several patterns it is the first path of the first one.
    """
    known = {
        "eventName": event_name,
        "eventSource": EVENT_SOURCE,
        "eventSourceARN": stream_arn,
        "awsRegion": region_of(stream_arn),
    }
    after, before = asked.items(keys)
    absent = _ABSENT.get(event_name)
    ways = asked.ways(before if event_name == "REMOVE" else after)
    if not ways:
        return "what no record has"
    found = [_impossible(checks, absent, known) for checks in ways]
    return None if None in found else found[0]


def _impossible(
    checks: Sequence[Check], absent: Source | None, known: Mapping[str, str]
) -> str | None:
    """Return the path of the first check that can never pass.

    `absent` is the image that the record lacks. One that lacks none has all members, too.
    """
    for check in checks:
        if check.place.source is Source.MEMBERS:
            if check.place.name == "dynamodb.ApproximateCreationDateTime":
                continue
            value = known.get(check.place.name)
            if value is None:
                passes = check.absent or absent is None
            else:
                passes = check.test is not None and check.test(value)
        else:
            passes = check.place.source is not absent or check.absent
        if not passes:
            return check.path
    return None
