"""Routes: from a list in the file or in CONSUMER_ROUTES to the routes that are published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from consumer.core.event.event import Category, EventFormat, Layout, MetadataSources
from consumer.core.event.selection.attribute_path import AttributePath
from consumer.core.event.selection.selection import Selection
from consumer.core.stream.stream import ViewType
from consumer.errors import Misconfigured
from consumer.settings.fingerprint import fingerprint
from consumer.settings.loading import load_settings
from consumer.settings.routes import check_touch_attribute, routes_of, view_types_of

if TYPE_CHECKING:
    from pathlib import Path

    from consumer.core.routes.route import Route
    from consumer.settings.settings import Settings

LEAST = {
    "CONSUMER_TABLE": "shop",
    "CONSUMER_NAKADI_URL": "http://localhost:8080",
    "CONSUMER_APPLICATION": "shop",
}
KEYS = ("pk", "sk")
PAGE = """
application: shop
routes:
  - event_type: order-store.order
    filter: {item: {kind: {S: [ORDER]}}}
    exclude: [card_number, customer.iban, lines.card, gsi1pk, gsi1sk]
    rename: {pk: order_id}
  - event_type: order-store.order-shipped
    filter: {dynamodb: {NewImage: {kind: {S: [ORDER]}, status: {S: [SHIPPED]}}}}
    changed: [status]
    include: [pk, status, shipped_at]
  - event_type: order-store.payment-event
    category: business
    filter: {item: {kind: {S: [EVENT]}}}
    body: payload
    metadata: {eid: event_id, flow_id: flow}
"""


def load(routes: object, **given: str) -> Settings:
    text = routes if isinstance(routes, str) else json.dumps(routes)
    more = {f"CONSUMER_{name.upper()}": each for name, each in given.items()}
    return load_settings({**LEAST, "CONSUMER_ROUTES": text, **more})


def from_yaml(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "consumer.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings({**LEAST, "CONSUMER_CONFIG_FILE": str(path)})


def route(given: dict[str, object] | None = None, **settings: str) -> Route:
    (made,) = routes_of(load([{"event_type": "a.b", **(given or {})}], **settings), KEYS)
    return made


def refusal(routes: object, **given: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        load(routes, **given)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.exit_code == 2
    return line


def test_the_example_of_the_readme_is_read_from_yaml_and_from_json(tmp_path: Path) -> None:
    settings = from_yaml(tmp_path, PAGE)
    order, shipped, payment = routes_of(settings, KEYS)
    assert [each.event_type for each in (order, shipped, payment)] == list(settings.event_types)
    assert order.name == "order-store.order"
    assert order.format.selection == Selection(
        exclude=tuple(
            AttributePath(names)
            for names in (
                ("card_number",),
                ("customer", "iban"),
                ("lines", "card"),
                ("gsi1pk",),
                ("gsi1sk",),
            )
        ),
        rename=(("pk", "order_id"),),
    )
    assert shipped.changed == (AttributePath(("status",)),)
    assert (order.skip_unchanged, shipped.skip_unchanged, payment.skip_unchanged) == (
        True,
        True,
        False,
    )
    assert payment.format.category is Category.BUSINESS
    assert payment.format.body == "payload"
    assert payment.format.metadata == MetadataSources(eid="event_id", flow_id="flow")
    assert not payment.format.patch
    assert payment.format.change_member is None
    as_json = load(
        [
            {
                "event_type": "order-store.order",
                "filter": {"item": {"kind": {"S": ["ORDER"]}}},
                "exclude": ["card_number", "customer.iban", "lines.card", "gsi1pk", "gsi1sk"],
                "rename": {"pk": "order_id"},
            }
        ]
    )
    assert routes_of(as_json, KEYS)[0].format == order.format


def test_a_route_with_only_an_event_type_takes_everything() -> None:
    made = route()
    assert made.filter is None
    assert made.format == EventFormat("a.b", ("pk",), selection=Selection(), eid_event_type="a.b")
    assert not made.skip_unchanged
    assert not made.single
    assert route({"filter": {"Filters": []}}).filter is not None


def test_what_a_route_leaves_out_comes_from_the_settings() -> None:
    settings = {
        "data_type": "d",
        "ordering_key": "pk,sk",
        "layout": "nested",
        "patch": "false",
        "patch_field": "p",
        "change_field": "c",
        "max_record_age_seconds": "60",
        "dead_letter_queue_url": "http://sqs/q",
    }
    made = route({}, **settings).format
    assert made == EventFormat(
        "d",
        ("pk", "sk"),
        patch=False,
        patch_field="p",
        change_field="c",
        layout=Layout.NESTED,
        selection=Selection(),
        eid_event_type="a.b",
    )
    own: dict[str, object] = {
        "data_type": "e",
        "ordering_key": ["pk"],
        "layout": "flat",
        "patch": True,
        "patch_field": "q",
        "change_field": "r",
        "max_record_age_seconds": 30,
        "eid": "record",
    }
    made_itself = route(own, **settings)
    assert made_itself.format == EventFormat(
        "e", ("pk",), patch_field="q", change_field="r", selection=Selection()
    )
    assert made_itself.limits.max_record_age == 30


def test_without_routes_there_is_one_that_shows_all_with_the_eid_of_the_record() -> None:
    base = {**LEAST, "CONSUMER_EVENT_TYPE": "a.b"}
    (made,) = routes_of(load_settings(base), KEYS)
    assert made.single
    assert made.format == EventFormat("a.b", ("pk",))
    (narrow,) = routes_of(
        load_settings(
            base
            | {
                "CONSUMER_EXCLUDE": "card, customer.iban",
                "CONSUMER_INCLUDE": "customer",
                "CONSUMER_CHANGED": "/a.b",
            }
        ),
        KEYS,
    )
    assert narrow.changed == (AttributePath(("a.b",)),)
    assert narrow.format.selection == Selection(
        (AttributePath(("customer",)),),
        (AttributePath(("card",)), AttributePath(("customer", "iban"))),
    )
    assert narrow.format.eid_event_type is None
    assert narrow.skip_unchanged


@pytest.mark.parametrize(
    ("given", "skips"),
    [
        ({}, False),
        ({"include": ["a"]}, True),
        ({"exclude": ["a"]}, True),
        ({"metadata": {"flow_id": "f"}}, True),
        ({"exclude": ["a"], "unchanged": "publish"}, False),
        ({"unchanged": "skip"}, True),
        ({"rename": {"a": "b"}}, False),
    ],
)
def test_changes_of_what_is_not_shown_are_skipped_by_default(
    given: dict[str, object], skips: bool
) -> None:
    assert route(given).skip_unchanged is skips


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ({"patch": False}, True),
        ({"patch": False, "exclude": ["a"]}, True),  # the default follows the images
        ({"patch": False, "unchanged": "skip"}, False),
        ({"patch": False, "changed": ["a"]}, False),
        ({}, False),
        ({"category": "business"}, True),
    ],
)
def test_new_images_are_enough_for_a_route_that_compares_nothing(
    given: dict[str, object], fits: bool
) -> None:
    settings = load([{"event_type": "a.b", **given}])
    assert (ViewType.NEW_IMAGE in view_types_of(settings, KEYS)) is fits
    assert ViewType.NEW_AND_OLD_IMAGES in view_types_of(settings, KEYS)
    both = [{"event_type": "a.b", **given}, {"event_type": "a.c"}]
    assert view_types_of(load(both), KEYS) == {ViewType.NEW_AND_OLD_IMAGES}


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        ("[", "found what is no JSON"),
        ("{}", "found an object, wanted a list of routes"),
        ("[]", "found an empty list, wanted at least one route; or leave it out, and set CONS"),
        ("[7]", "route 1: found a number, wanted an object"),
        ([{}], "route 1: found no event_type, wanted one"),
        (
            [{"event_type": "a.b", "filtr": {}}],
            "route 1 (a.b): found the unknown key 'filtr', wanted perhaps 'filter'",
        ),
        (
            [{"event_type": "a.b", "zzz": {}}],
            "found the unknown key 'zzz', wanted one of event_type, name, filter, otherwise, ch",
        ),
        ([{"event_type": "a b"}], "route 1 (a b), event_type: found 'a b', wanted the name of"),
        ([{"event_type": f"a.{n}"} for n in range(51)], "found 51 routes, wanted at most 50"),
        (
            [{"event_type": "a.b"}] * 2,
            "two routes with the event type 'a.b', wanted one; several rules of one event type are",
        ),
        (
            [{"event_type": "a.b", "name": "x"}, {"event_type": "a.c", "name": "x"}],
            "two routes with the name 'x', wanted one; give one of them another `name`",
        ),
        (
            [{"event_type": f"a.{n}", "otherwise": True} for n in "bc"],
            "found two routes with otherwise",
        ),
        (
            [{"event_type": "a.b", "otherwise": True, "filter": {"eventName": ["INSERT"]}}],
            "route 1 (a.b): found filter and otherwise",
        ),
        ([{"event_type": "a.b", "filter": []}], "route 1 (a.b), filter: an empty list"),
        ([{"event_type": "a.b", "filter": {}}], "route 1 (a.b), filter: an empty object"),
        (
            [{"event_type": "a.b", "filter": {"item": {"a": {"S": "x"}}}}],
            "route 1 (a.b), filter: item.a.S: found text, wanted a list of values to match",
        ),
        (
            [{"event_type": "a.b", "name": "orders", "filter": {"item": {"a": {"S": []}}}}],
            "route 1 (orders), filter: item.a.S: an empty list",
        ),
        ('[{"event_type": "a.b", "event_type": "a.c"}]', "the key 'event_type' a second time"),
        ([{"event_type": "a.b", "exclude": []}], "exclude: found [], wanted different paths"),
        ([{"event_type": "a.b", "exclude": ["a..b"]}], "'a..b' has an empty name"),
        ([{"event_type": "a.b", "include": [7]}], "quote what is no text"),
        ([{"event_type": "a.b", "exclude": ["a", "a"]}], "wanted different paths"),
        ([{"event_type": "a.b", "rename": {"a": "x", "b": "x"}}], "two attributes that become 'x'"),
        ([{"event_type": "a.b", "rename": {"a": 7}}], "rename: found an object, wanted old: new"),
        ([{"event_type": "a.b", "rename": ["a"]}], "rename: found ['a'], wanted old: new names"),
        ([{"event_type": "a.b", "rename": {"a": "patch"}}], "rename: found the new name 'patch'"),
        ([{"event_type": "a.b", "rename": {"a": "change"}}], "rename: found the new name 'change'"),
        ([{"event_type": "a.b", "rename": {"a": "item"}}], "rename: found the new name 'item'"),
        ([{"event_type": "a.b", "rename": {"a": "metadata"}}], "the new name 'metadata'"),
        (
            [{"event_type": "a.b", "exclude": ["a"], "rename": {"a": "x"}}],
            "rename: found 'a', which is left out",
        ),
        (
            [{"event_type": "a.b", "include": ["b"], "rename": {"a": "x"}}],
            "rename: found 'a', which is left out",
        ),
        (
            [{"event_type": "a.b", "metadata": {"flow_id": "a"}, "rename": {"a": "x"}}],
            "rename: found 'a', which is left out",
        ),
        ([{"event_type": "a.b", "body": "payload"}], "found body without category business"),
        (
            [{"event_type": "a.b", "category": "business", "body": "a", "rename": {"b": "c"}}],
            "found rename beside body",
        ),
        (
            [{"event_type": "a.b", "category": "business", "body": "a", "include": ["b"]}],
            "body: found 'a', which is left out",
        ),
        (
            [{"event_type": "a.b", "exclude": ["a"], "metadata": {"flow_id": "a"}}],
            "metadata: found 'a', which is excluded",
        ),
        (
            [{"event_type": "a.b", "category": "business", "layout": "flat"}],
            "found layout beside category business",
        ),
        (
            [{"event_type": "a.b", "category": "business", "unchanged": "skip"}],
            "found unchanged beside category business",
        ),
        ([{"event_type": "a.b", "category": "undefined"}], "category: found 'undefined', wanted"),
        (
            [{"event_type": "a.b", "metadata": {"eidd": "a"}}],
            "unknown key 'metadata.eidd', wanted perhaps 'eid'",
        ),
        ([{"event_type": "a.b", "eid": "table"}], "eid: found 'table', wanted 'route' or 'record'"),
        (
            [{"event_type": "a.b", "patch_field": "change"}],
            "route a.b: patch_field, change_field: found change and change, wanted two different",
        ),
        ([{"event_type": "a.b", "include": None}], "route 1 (a.b): include: found no value"),
        ([{"event_type": "a.b", "body": None}], "route 1 (a.b): body: found no value"),
        ([{"event_type": "a.b", "filter": None}], "route 1 (a.b): filter: found no value"),
        (
            [{"event_type": "a.b", "metadata": {"eid": None}}],
            "route 1 (a.b): eid: found no value",
        ),
        (
            '[{"event_type": "a.b", "metadata": {"eid": "a", "eid": "b"}}]',
            "'eid' a second time",
        ),
        ('[{"event_type": "a.b", "rename": {"a": "b", "a": "c"}}]', "the key 'a' a second time"),
        ([{"event_type": "a.b", "metadata": "x"}], "found 'x', wanted members of metadata"),
        (
            [{"event_type": "a.b", "otherwise": {"item": {"n": {"S": ["mary.smith"]}}}}],
            "otherwise: found an object, wanted",
        ),
        ([{"event_type": "a.b", "changed": [{"S": ["mary"]}]}], "found a list of what is no text"),
        ([{"event_type": "a.b", "exclude": ["card, iban"]}], "is written /card, iban"),
        ([{"event_type": "a.b", "exclude": [" card"]}], "a name with a comma or outer blanks"),
        ([{"event_type": "a.b", "rename": {"a.b": "x"}}], "one that has a dot is written /a.b"),
        ([{"event_type": "a.b", "rename": {"": "x"}}], "old: new names of attributes"),
        ([{"event_type": "a.b", "ordering_key": ["pk", "pk"]}], "different attribute names"),
        ([{"event_type": "a.b", "ordering_key": [""]}], "different attribute names"),
        ([{"event_type": "a.b", "ordering_key": [7]}], "different attribute names"),
        ([{"event_type": "a.b", "max_record_age_seconds": True}], "wanted a number of seconds"),
        ([{"event_type": "a.b", "name": "a b"}], "wanted a name of letters, digits and _ . -"),
        (
            [{"event_type": "a.b", "category": "business", "change_field": "metadata"}],
            "found 'metadata' for change_field",
        ),
        (
            [{"event_type": "a.b", "layout": "nested", "patch_field": "item"}],
            "layout, patch_field, change_field: found nested and item and change, wanted neither",
        ),
        (
            [{"event_type": "a.b", "max_record_age_seconds": 60}],
            "dead_letter_queue_url: found 60 and nothing, wanted a dead letter queue if there is a",
        ),
        (
            [{"event_type": f"a.{n}", "eid": "record"} for n in "bc"],
            "found eid: record in the routes 'a.b' and 'a.c', wanted it in at most one",
        ),
        (
            [{"event_type": "a.b", "include": ["pk", "id"], "rename": {"pk": "id"}}],
            "rename: found the new name 'id' of 'pk', which include has as another attribute",
        ),
        (
            [{"event_type": "a.b", "include": ["pk", "id.x"], "rename": {"pk": "id"}}],
            "rename: found the new name 'id' of 'pk', which include has as another attribute",
        ),
        (
            [{"event_type": "a.b", "include": ["a"], "exclude": ["a"]}],
            "found that exclude leaves out all that include names",
        ),
        (
            [{"event_type": "a.b", "include": ["a.b", "c"], "exclude": ["a", "c"]}],
            "found that exclude leaves out all that include names",
        ),
        (
            [{"event_type": "a.b", "exclude": ["a.x"], "metadata": {"span_ctx": "a"}}],
            "metadata: found 'a.x', which is excluded",
        ),
        (
            [{"event_type": "a.b", "rename": {"aws:rep:region": "region"}}],
            "rename: found 'aws:rep:region', which is left out",
        ),
    ],
)
def test_a_refusal_names_route_place_and_reason(routes: object, words: str) -> None:
    line = refusal(routes)
    assert line.startswith("CONSUMER_ROUTES")
    assert words in line


@pytest.mark.parametrize(
    "given",
    [
        {"include": ["pk", "id"], "rename": {"pk": "id", "id": "pk"}},
        {"include": ["pk", "id"], "exclude": ["id"], "rename": {"pk": "id"}},
        {"include": ["pk", "id"], "metadata": {"flow_id": "id"}, "rename": {"pk": "id"}},
        {"rename": {"pk": "id"}},  # nobody knows whether an item has both
        {"include": ["a"], "exclude": ["a.b"]},
        {"include": ["a", "b"], "exclude": ["a"]},
        {"patch": False, "change_field": "patch"},
        {"patch": False, "layout": "nested", "patch_field": "item"},
        {"category": "business", "change_field": "patch"},
    ],
)
def test_what_contradicts_nothing_is_taken(given: dict[str, object]) -> None:
    assert route(given).event_type == "a.b"


def test_one_route_may_have_the_eids_of_a_single_event_type() -> None:
    settings = load([{"event_type": "a.b", "eid": "record"}, {"event_type": "a.c"}])
    found = [each.format.eid_event_type for each in routes_of(settings, KEYS)]
    assert found == [None, "a.c"]


def test_a_single_event_type_that_shows_nothing_is_refused() -> None:
    base = {**LEAST, "CONSUMER_EVENT_TYPE": "a.b", "CONSUMER_INCLUDE": "a.b"}
    load_settings(base)
    with pytest.raises(Misconfigured, match="CONSUMER_INCLUDE, CONSUMER_EXCLUDE: found that"):
        load_settings(base | {"CONSUMER_EXCLUDE": "a"})


@pytest.mark.parametrize(
    "category_only",
    ["data_type", "patch", "patch_field", "changed"],
)
def test_business_events_have_no_settings_of_data_events(category_only: str) -> None:
    value = {"patch": False, "changed": ["a"]}.get(category_only, "x")
    line = refusal([{"event_type": "a.b", "category": "business", category_only: value}])
    assert f"found {category_only} beside category business" in line


@pytest.mark.parametrize("name", ["event_type", "filter", "include", "exclude", "changed"])
def test_routes_beside_the_settings_of_the_single_event_type_are_refused(name: str) -> None:
    value = '{"eventName": ["INSERT"]}' if name == "filter" else "a.b"
    line = refusal([{"event_type": "a.b"}], **{name: value})
    assert "CONSUMER_ROUTES" in line
    assert "INSERT" not in line


def test_routes_need_the_name_of_the_application() -> None:
    line = refusal([{"event_type": "a.b"}], application="")
    assert line == (
        "CONSUMER_APPLICATION, CONSUMER_ROUTES: found nothing and 1 of them, wanted the name of the"
        " application if there are routes"
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("NO", "read as false"),
        ("on", "read as true"),
        ("7", "read as a number"),
        ("null", "read as null"),
        ("2026-11-01", "found a date in YAML's own form in line 4, wanted text: quote it"),
        ("12:30", "found a number in YAML's own form in line 4"),
        ("0o7", None),
        ("!!binary aGk=", "found a value with the tag"),
    ],
)
def test_a_value_that_yaml_does_not_read_as_text_is_refused_below_a_type(
    tmp_path: Path, value: str, words: str | None
) -> None:
    text = f"routes:\n  - event_type: a.b\n    filter:\n      item: {{a: {{S: [{value}]}}}}\n"
    if words is None:
        from_yaml(tmp_path, text)
        return
    with pytest.raises(Misconfigured, match=words):
        from_yaml(tmp_path, text)
    from_yaml(tmp_path, text.replace(f"[{value}]", f'["{value}"]'))


def test_lists_that_are_too_deep_are_refused_by_every_reader(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="too deep in one another") as caught:
        from_yaml(tmp_path, f"routes: {'[' * 3000}{']' * 3000}\n")
    assert str(caught.value).startswith("CONSUMER_CONFIG_FILE: ")


def test_a_refusal_names_the_line_on_which_the_route_begins(tmp_path: Path) -> None:
    text = (
        "routes:\n  - event_type: a.b\n\n  - event_type: a.c\n    filter: {item: {n: {S: [NO]}}}\n"
    )
    with pytest.raises(
        Misconfigured, match=r"route 2, line 4 \(a\.c\), filter: item\.n\.S: a value"
    ):
        from_yaml(tmp_path, text)


def test_a_rename_of_a_name_with_a_dot_is_a_pointer() -> None:
    made = route({"rename": {"/a.b": "c"}})
    assert made.format.selection == Selection(rename=(("a.b", "c"),))


def test_names_in_yaml_are_text_as_they_are_written(tmp_path: Path) -> None:
    text = "routes:\n  - event_type: a.b\n    filter: {item: {NO: {N: ['7']}, on: {S: [x]}}}\n"
    (made,) = routes_of(from_yaml(tmp_path, text), KEYS)
    assert made.filter is not None
    named = {path for pattern in made.filter.patterns for leaf in pattern.branches for path in leaf}
    assert named == {"item.NO.N", "item.on.S"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("routes:\n  - event_type: a.b\n    filter: {item: {a: {S: [x]}, a: {S: [y]}}}\n", "'a' a"),
        ("routes:\n  - event_type: a.b\n    event_type: a.c\n", "'event_type' a second time"),
        ("routes:\n  - event_type: a.b\n    ? [a]\n    : b\n", "a key that is no text"),
        ("routes: a.b\n", "found what is no JSON"),
        ("routes:\n  - &r\n    event_type: q\n    filter: *r\n", "more than 250 objects and"),
        ("routes: {a: b}\n", "found an object, wanted a list of routes"),
        (
            "routes:\n  - &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"  - &{name} [{', '.join(['*' + before] * 10)}]\n"
                for before, name in zip("abcdef", "bcdefg", strict=True)
            ),
            "more than 100000 values",
        ),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as caught:
        from_yaml(tmp_path, text)
    assert str(caught.value).startswith("CONSUMER_ROUTES (")


def test_routes_may_stand_as_text_in_the_file(tmp_path: Path) -> None:
    settings = from_yaml(tmp_path, 'routes: \'[{"event_type": "a.b"}]\'\n')
    assert settings.event_types == ("a.b",)


def test_a_refused_filter_is_not_quoted() -> None:
    line = refusal([{"event_type": "a.b", "filter": {"item": {"a": {"S": "mary.smith"}}}}])
    assert "mary" not in line


TOUCH = "/consumer:touch"


@pytest.mark.parametrize(
    ("word", "given"),
    [
        ("filter", {"filter": {"dynamodb": {"NewImage": {"consumer:touch": {"S": ["x"]}}}}}),
        ("filter", {"filter": {"item": {"consumer:touch": {"S": [{"exists": True}]}}}}),
        ("changed", {"changed": [TOUCH]}),
        ("include", {"include": ["pk", TOUCH]}),
        ("rename", {"rename": {"consumer:touch": "a"}}),
        ("rename", {"rename": {"a": "consumer:touch"}}),
        ("metadata", {"metadata": {"flow_id": "consumer:touch"}}),
        ("body", {"category": "business", "body": "consumer:touch"}),
    ],
)
def test_no_route_asks_for_the_touch_attribute(word: str, given: dict[str, object]) -> None:
    told = f"CONSUMER_ROUTES, route a.b, {word}: found 'consumer:touch', which is never published"
    with pytest.raises(Misconfigured, match=told):
        route(given)
    assert route(given, touch_attribute="other").format.touch_attribute == "other"


def test_a_route_may_exclude_the_touch_attribute() -> None:
    assert route({"exclude": [TOUCH]}).format.touch_attribute == "consumer:touch"


def test_neither_does_the_only_event_type() -> None:
    base = {**LEAST, "CONSUMER_EVENT_TYPE": "a.b"}
    with pytest.raises(Misconfigured, match=r"^CONSUMER_INCLUDE: found 'mark', which is never"):
        load_settings(base | {"CONSUMER_INCLUDE": "a,mark", "CONSUMER_TOUCH_ATTRIBUTE": "mark"})
    for word in ("PATCH_FIELD", "CHANGE_FIELD"):
        with pytest.raises(Misconfigured, match="a touch attribute that has another name"):
            load_settings(base | {f"CONSUMER_{word}": "m", "CONSUMER_TOUCH_ATTRIBUTE": "m"})
    for name in ("", " ", "aws:rep:x", "a b", "ä"):
        if name.strip():
            with pytest.raises(Misconfigured, match="CONSUMER_TOUCH_ATTRIBUTE"):
                load_settings(base | {"CONSUMER_TOUCH_ATTRIBUTE": name})


def test_a_key_attribute_is_no_touch_attribute() -> None:
    settings = load_settings({**LEAST, "CONSUMER_EVENT_TYPE": "a.b"})
    check_touch_attribute(settings, KEYS)
    with pytest.raises(Misconfigured, match="found 'consumer:touch', a key attribute of the table"):
        check_touch_attribute(settings, ("pk", "consumer:touch"))


def test_the_fingerprint_does_not_know_it() -> None:
    base = {**LEAST, "CONSUMER_EVENT_TYPE": "a.b"}
    named = base | {"CONSUMER_TOUCH_ATTRIBUTE": "mark"}
    assert fingerprint(load_settings(base), "pk") == fingerprint(load_settings(named), "pk")
    assert "touch" not in fingerprint(load_settings(base), "pk")
