"""What the list of routes says of one: `routes:` in the file, or CONSUMER_ROUTES.

What a route leaves out comes from the settings of that name (`routes`). An error is one line that
names the route, the place in it, and the reason.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from consumer.core.event.event import Category, MetadataSources
from consumer.core.event.selection.selection import Selection
from consumer.core.routes.filters.lambda_filter import Filter, read_filter
from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.core.routes.language.json_tree import Members, read_json, shown
from consumer.core.routes.language.numeral import Numeral
from consumer.errors import Misconfigured
from consumer.settings.error import in_words
from consumer.settings.route_types import (
    Attribute,
    CategoryName,
    EidOf,
    Names,
    Paths,
    Renames,
    RouteName,
    RouteSeconds,
    Unchanged,
)
from consumer.settings.types import EventTypeName, LayoutName, Name, Switch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.settings.source import Given

MOST_ROUTES: Final = 50

SHOWS_NOTHING: Final = (
    "found that exclude leaves out all that include names, wanted a path that is shown"
)
"""What is wrong with a selection by which events show nothing."""

_DATA_ONLY = ("data_type", "layout", "patch", "patch_field", "changed", "unchanged")


class MetadataDefinition(BaseModel):
    """Attributes whose strings become members of `metadata`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    eid: Attribute | None = None
    flow_id: Attribute | None = None
    span_ctx: Attribute | None = None
    parent_eids: Attribute | None = None

    def sources(self) -> MetadataSources:
        """Return them as the format of events has them."""
        return MetadataSources(self.eid, self.flow_id, self.span_ctx, self.parent_eids)


class RouteDefinition(BaseModel):
    """One route as it is written. None: the setting of that name decides, or the default."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, str_strip_whitespace=True
    )

    event_type: EventTypeName
    name: RouteName = ""
    filter: Filter | None = None
    otherwise: Switch = False
    changed: Paths = ()
    include: Paths | None = None
    exclude: Paths = ()
    rename: Renames = ()
    data_type: Name | None = None
    ordering_key: Names | None = None
    layout: LayoutName | None = None
    patch: Switch | None = None
    patch_field: Name | None = None
    change_field: Name | None = None
    category: CategoryName = Category.DATA
    body: Attribute | None = None
    unchanged: Unchanged | None = None
    metadata: MetadataDefinition = MetadataDefinition()
    eid: EidOf = "route"
    max_record_age_seconds: RouteSeconds | None = None

    @property
    def called(self) -> str:
        """The route's name, by default that of its event type."""
        return self.name or self.event_type

    @property
    def selection(self) -> Selection:
        """What of the item is shown; what is moved into the metadata is not in `data` either."""
        return Selection(self.include, self.exclude, self.rename)

    def shows(self, attribute: str) -> bool:
        """Return whether anything of an attribute is shown in `data`."""
        return attribute not in self.metadata.sources().names and self.selection.shows(attribute)


def read_definitions(given: Given) -> tuple[RouteDefinition, ...]:
    """Return the routes of a setting. Raise Misconfigured, with one line for the operator."""
    tree = given.tree
    if tree is None:
        try:
            tree = read_json(given.text)
        except BadPattern as error:
            raise Misconfigured(
                f"{given.source}: found what is no JSON ({error.reason}), wanted a list of routes"
            ) from None
    if not isinstance(tree, list):
        raise Misconfigured(f"{given.source}: found {shown(tree)}, wanted a list of routes")
    if not tree:
        raise Misconfigured(
            f"{given.source}: found an empty list, wanted at least one route; or leave it out, and"
            " set CONSUMER_EVENT_TYPE"
        )
    if len(tree) > MOST_ROUTES:
        raise Misconfigured(
            f"{given.source}: found {len(tree)} routes, wanted at most {MOST_ROUTES}"
        )
    from_yaml = given.tree is not None
    found = tuple(
        _definition(_place(given, number), each, from_yaml=from_yaml)
        for number, each in enumerate(tree, 1)
    )
    _check_all(given.source, found)
    return found


def _place(given: Given, number: int) -> str:
    """Return where a route stands: its number, and its first line if it has one."""
    line = f", line {given.lines[number - 1]}" if given.lines else ""
    return f"{given.source}: route {number}{line}"


def _definition(place: str, tree: object, *, from_yaml: bool) -> RouteDefinition:
    if not isinstance(tree, Members):
        raise Misconfigured(f"{place}: found {shown(tree)}, wanted an object with an event_type")
    members = dict(tree)
    name = members.get("name") or members.get("event_type")
    if isinstance(name, str):
        place = f"{place} ({name[:255]})"
    try:
        values = {str(key): _plain(value) for key, value in _once(tree).items() if key != "filter"}
    except _Unusable as error:
        raise Misconfigured(f"{place}: {error}") from None
    if "filter" in members:
        try:
            values["filter"] = read_filter(members["filter"], from_yaml=from_yaml)
        except BadPattern as error:
            raise Misconfigured(
                f"{place}, filter: {error}; wanted a filter in Lambda's language"
            ) from None
    try:
        definition = RouteDefinition.model_validate(values)
    except ValidationError as error:
        raise Misconfigured(f"{place}{in_words(error, RouteDefinition)}") from None
    for wanted in _broken(definition):
        raise Misconfigured(f"{place}: {wanted}")
    return definition


class _Unusable(ValueError):
    """A value that no setting of a route takes; the text says what was found, and is wanted."""


def _plain(tree: object) -> object:
    """Return a tree as Python's own values. Raise _Unusable.

    A key without a value is refused: an `include` whose list was lost must not show everything.
    """
    match tree:
        case Members():
            return {name: _plain(value) for name, value in _once(tree).items()}
        case list():
            return [_plain(each) for each in tree]
        case Numeral():
            return float(tree.text)
        case _:
            return tree


def _once(tree: Members) -> dict[object, object]:
    """Return the members of an object, each of which has a value. Raise _Unusable."""
    found: dict[object, object] = {}
    for key, value in tree:
        if key in found:
            raise _Unusable(f"found the key {key!r} a second time, wanted it once")
        if value is None:
            raise _Unusable(f"{key}: found no value, wanted one; or leave the key out")
        found[key] = value
    return found


def _broken(route: RouteDefinition) -> Iterator[str]:
    """Yield what is wrong with a route by itself."""
    if route.otherwise and route.filter is not None:
        yield "found filter and otherwise, wanted one of the two: otherwise is what no filter takes"
    if route.category is Category.BUSINESS:
        for name in _DATA_ONLY:
            if name in route.model_fields_set:
                yield f"found {name} beside category business, wanted it for category data only"
    for path in route.exclude:
        if path.names[0] in route.metadata.sources().names:
            yield f"metadata: found {str(path)!r}, which is excluded, wanted one that is not"
    if route.selection.shows_nothing:
        yield SHOWS_NOTHING
    yield from _bad_body(route)
    yield from _bad_renames(route)


def _bad_body(route: RouteDefinition) -> Iterator[str]:
    if route.body is None:
        return
    if route.category is not Category.BUSINESS:
        yield "found body without category business, wanted both"
    if route.rename:
        yield "found rename beside body, wanted one of the two: the event has the body's names"
    if not route.shows(route.body):
        yield f"body: found {route.body!r}, which is left out, wanted an attribute that is shown"


def _bad_renames(route: RouteDefinition) -> Iterator[str]:
    doubled = [new for new, count in Counter(new for _, new in route.rename).items() if count > 1]
    if doubled:
        yield f"rename: found two attributes that become {doubled[0]!r}, wanted different names"
    olds = {old for old, _ in route.rename}
    for old, new in route.rename:
        if not route.shows(old):
            yield f"rename: found {old!r}, which is left out, wanted an attribute that is shown"
        if route.include is not None and new not in olds and route.shows(new):
            yield (
                f"rename: found the new name {new!r} of {old!r}, which include has as another"
                " attribute, wanted different names"
            )


def _check_all(source: str, routes: Sequence[RouteDefinition]) -> None:
    """Raise Misconfigured if two routes cannot stand beside each other."""
    for what, names, remedy in (
        (
            "event type",
            [route.event_type for route in routes],
            "several rules of one event type are a list of patterns",
        ),
        (
            "name",
            [route.called for route in routes],
            "give one of them another `name`; by default it is the event type",
        ),
    ):
        doubled = [name for name, count in Counter(names).items() if count > 1]
        if doubled:
            raise Misconfigured(
                f"{source}: found two routes with the {what} {doubled[0]!r}, wanted one; {remedy}"
            )
    if sum(route.otherwise for route in routes) > 1:
        raise Misconfigured(f"{source}: found two routes with otherwise, wanted at most one")
    as_record = [route.called for route in routes if route.eid == "record"]
    if len(as_record) > 1:
        raise Misconfigured(
            f"{source}: found eid: record in the routes {as_record[0]!r} and {as_record[1]!r},"
            " wanted it in at most one: two events of a record would have one eid, and a reader of"
            " both would drop the second"
        )
