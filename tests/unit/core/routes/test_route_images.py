"""Images: which view types a route can do with, and the words where it cannot."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from consumer.core.event.event import EventFormat
from consumer.core.event.selection.attribute_path import AttributePath
from consumer.core.limits import PublishLimits
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from consumer.core.routes.route_images import missing_images
from consumer.core.stream.stream import ViewType

KEYS = ("pk", "sk")
WITHOUT_PATCH = Route(
    "a.b", EventFormat("a.b", ("pk",), patch=False), PublishLimits(), KEYS, name="orders"
)
WITH_PATCH = replace(WITHOUT_PATCH, format=EventFormat("a.b", ("pk",)))
CHANGED = replace(WITHOUT_PATCH, changed=(AttributePath(("status",)),))
SKIPPING = replace(WITHOUT_PATCH, skip_unchanged=True)
VIEW = replace(WITHOUT_PATCH, filter=read_filter({"item": {"kind": {"S": ["ORDER"]}}}))
BY_KEY = replace(WITHOUT_PATCH, filter=read_filter({"item": {"pk": {"S": [{"prefix": "O#"}]}}}))
ALL = (WITHOUT_PATCH, WITH_PATCH, CHANGED, SKIPPING, VIEW, BY_KEY)


@pytest.mark.parametrize("route", ALL)
def test_with_both_images_everything_can_be_had(route: Route) -> None:
    assert missing_images(route, ViewType.NEW_AND_OLD_IMAGES) is None


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (WITH_PATCH, "CONSUMER_ROUTES, route orders, patch=true needs NEW_AND_OLD_IMAGES"),
        (CHANGED, "CONSUMER_ROUTES, route orders, changed needs NEW_AND_OLD_IMAGES"),
        (SKIPPING, "CONSUMER_ROUTES, route orders, unchanged needs NEW_AND_OLD_IMAGES"),
        (VIEW, "CONSUMER_ROUTES, route orders, filter: item.kind.S: item can name key attributes"),
        (replace(WITH_PATCH, single=True), "CONSUMER_PATCH=true needs NEW_AND_OLD_IMAGES"),
    ],
)
def test_what_needs_old_images_is_named_with_its_setting(route: Route, words: str) -> None:
    missing = missing_images(route, ViewType.NEW_IMAGE)
    assert missing is not None
    assert missing.startswith(words)
    assert "; " in missing


@pytest.mark.parametrize("route", [WITHOUT_PATCH, BY_KEY])
def test_new_images_are_enough_without_what_compares(route: Route) -> None:
    assert missing_images(route, ViewType.NEW_IMAGE) is None


@pytest.mark.parametrize("view_type", [ViewType.KEYS_ONLY, ViewType.OLD_IMAGE])
def test_without_new_images_no_route_can_be_published(view_type: ViewType) -> None:
    for route, needed in (
        (WITHOUT_PATCH, "NEW_AND_OLD_IMAGES or NEW_IMAGE is needed"),
        (WITH_PATCH, "NEW_AND_OLD_IMAGES is needed"),
    ):
        assert (missing_images(route, view_type) or "").startswith(needed)
