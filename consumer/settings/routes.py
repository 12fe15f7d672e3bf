"""From settings to routes: what a route leaves out comes from the settings of that name.

Without a list of routes the settings describe one route, that of CONSUMER_EVENT_TYPE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from consumer.core.event.event import Category, EventFormat, Layout
from consumer.core.routes.route import Route
from consumer.core.routes.route_images import missing_images
from consumer.core.routes.unseen_paths import named_paths
from consumer.core.stream.stream import ViewType
from consumer.errors import Misconfigured
from consumer.settings.route_definition import SHOWS_NOTHING, RouteDefinition
from consumer.settings.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.core.event.selection.selection import Selection
    from consumer.settings.settings import Settings

_OF_THE_EVENT: Final = frozenset({"item", "metadata"})
"""Names that no attribute is given: readers, and the tools of this service, know them."""


def routes_of(
    settings: Settings, keys: tuple[str, ...], view_type: ViewType = ViewType.NEW_AND_OLD_IMAGES
) -> tuple[Route, ...]:
    """Return the routes that the settings describe, in their order.

    `keys` are the table's key attributes, the partition key first; empty if not known. Without old
    images a route does not skip changes of what it does not show, unless it says so.
    """
    if settings.routes:
        return tuple(_route(settings, each, keys, view_type) for each in settings.routes)
    return (_route(settings, _only(settings), keys, view_type, single=True),)


def view_types_of(settings: Settings, keys: tuple[str, ...]) -> frozenset[ViewType]:
    """Return the view types that have the images which all routes need."""
    return frozenset(
        view_type
        for view_type in ViewType
        if all(
            missing_images(route, view_type) is None
            for route in routes_of(settings, keys, view_type)
        )
    )


def check_routes(settings: Settings) -> None:
    """Raise Misconfigured if a route contradicts itself, or what it has from other settings."""
    for route in routes_of(settings, ()):
        for word in _unseen(route):
            raise Misconfigured(
                f"{route.setting(word)}: found {settings.touch_attribute!r}, which is never"
                " published nor seen by routes (CONSUMER_TOUCH_ATTRIBUTE), wanted another attribute"
            )
        if route.single:  # the other rules of the settings are its own
            if route.format.selection is not None and route.format.selection.shows_nothing:
                raise Misconfigured(f"CONSUMER_INCLUDE, CONSUMER_EXCLUDE: {SHOWS_NOTHING}")
            continue
        for wanted in _broken(settings, route):
            raise Misconfigured(f"{route.setting()}: {wanted}")


def check_touch_attribute(settings: Settings, keys: tuple[str, ...]) -> None:
    """Raise Misconfigured if the touch attribute is one of the table's key `keys`."""
    if settings.touch_attribute in keys:
        raise Misconfigured(
            f"CONSUMER_TOUCH_ATTRIBUTE: found {settings.touch_attribute!r}, a key attribute of the"
            " table, wanted a name that no item uses: what has it is never published"
        )


def _only(settings: Settings) -> RouteDefinition:
    """Return the definition of the only route, that of CONSUMER_EVENT_TYPE."""
    return RouteDefinition.model_construct(
        event_type=settings.event_type or "",
        filter=settings.only,
        include=settings.include,
        exclude=settings.exclude,
        changed=settings.changed,
        eid="record",
    )


def _route(
    settings: Settings,
    each: RouteDefinition,
    keys: tuple[str, ...],
    view_type: ViewType,
    *,
    single: bool = False,
) -> Route:
    is_data = each.category is Category.DATA
    limits = settings.publish_limits()
    if each.max_record_age_seconds is not None:
        limits = replace(limits, max_record_age=each.max_record_age_seconds)
    ordering_key = settings.ordering_key if each.ordering_key is None else each.ordering_key
    form = EventFormat(
        data_type=each.data_type or settings.data_type or each.event_type,
        ordering_key=ordering_key or keys[:1],
        patch=is_data and (settings.patch if each.patch is None else each.patch),
        patch_field=each.patch_field or settings.patch_field,
        change=is_data or each.change_field is not None,
        change_field=each.change_field or settings.change_field,
        layout=(each.layout or settings.layout) if is_data else Layout.FLAT,
        event_bytes=settings.event_bytes,
        selection=_selection(each, single=single),
        category=each.category,
        body=each.body,
        metadata=each.metadata.sources(),
        eid_event_type=each.event_type if each.eid == "route" else None,
        stream_prefix=settings.stream_prefix,
        touch_attribute=settings.touch_attribute,
    )
    narrows = each.include is not None or bool(each.exclude) or any(form.metadata.names)
    if each.unchanged is None:
        skips = is_data and narrows and view_type is ViewType.NEW_AND_OLD_IMAGES
    else:
        skips = each.unchanged == "skip"
    return Route(
        event_type=each.event_type,
        format=form,
        limits=limits,
        keys=keys,
        filter=each.filter,
        name=each.called,
        otherwise=each.otherwise,
        changed=each.changed,
        skip_unchanged=skips,
        single=single,
    )


def _unseen(route: Route) -> Iterator[str]:
    """Yield the words of a route's settings that ask for the touch attribute, or give its name."""
    named = [("filter", path) for path in (route.filter.paths if route.filter else ())]
    for word, path in [*named, *named_paths(route)]:
        if path.names[0] == route.format.touch_attribute and word != "exclude":
            yield word
    renamed = () if route.format.selection is None else route.format.selection.rename
    if any(new == route.format.touch_attribute for _, new in renamed):
        yield "rename"


def _selection(each: RouteDefinition, *, single: bool) -> Selection | None:
    """Return what a route shows; None for a single event type that shows the whole item."""
    if single and each.include is None and not each.exclude:
        return None
    return each.selection


def _broken(settings: Settings, route: Route) -> Iterator[str]:
    form = route.format
    own = {
        "layout": form.layout,
        "patch_field": form.patch_member,
        "change_field": form.change_field,
        "max_record_age_seconds": route.limits.max_record_age,
    }
    for rule in RULES:
        if not own.keys().isdisjoint(rule.names):
            with_its_own = settings.model_copy(update=own)
            if not rule.holds(with_its_own):
                yield f"{', '.join(rule.names)}: {rule.found_in(with_its_own)}"
    reserved = {form.patch_member, form.change_member}
    if form.category is Category.BUSINESS and form.change_member == "metadata":
        yield "found 'metadata' for change_field, wanted another name: the event has this member"
    for _, new in form.selection.rename if form.selection is not None else ():
        if new in reserved | _OF_THE_EVENT:
            yield f"rename: found the new name {new!r}, wanted one that the event does not use"
