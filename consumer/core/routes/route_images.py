"""Which images a route needs of each record, and what it lacks on a stream without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.core.stream.stream import ViewType

if TYPE_CHECKING:
    from consumer.core.routes.route import Route

_BOTH = ViewType.NEW_AND_OLD_IMAGES


def missing_images(route: Route, view_type: ViewType) -> str | None:
    """Return what a route cannot do with a stream of this view type, and the remedy behind "; ".

    None: it can do everything. Every event has the complete item after the change, so new images
    are needed in any case.
    """
    if route.filter is not None:
        try:
            route.filter.require(view_type, route.keys)
        except BadPattern as error:
            return (
                f"{route.setting('filter')}: {error}; use a stream with view type {_BOTH}, or ask"
                " for what its records have"
            )
    if view_type is _BOTH:
        return None
    if view_type is not ViewType.NEW_IMAGE:
        also = missing_images(route, ViewType.NEW_IMAGE) is None
        needed = f"{_BOTH} or {ViewType.NEW_IMAGE}" if also else _BOTH
        return (
            f"{needed} is needed, because every event has the complete item after the change; a"
            " view type cannot be changed, so disable the stream and enable it with that one"
        )
    if route.format.patch:
        setting = route.setting("patch")
        return (
            f"{setting}=true needs {_BOTH}, because a patch is made from both images; use such a"
            f" stream, or set {setting}=false"
        )
    for name, wanted in (("changed", bool(route.changed)), ("unchanged", route.skip_unchanged)):
        if wanted:
            return (
                f"{route.setting(name)} needs {_BOTH}, because both images are compared; use such a"
                " stream, or leave it out"
            )
    return None
