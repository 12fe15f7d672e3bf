"""The demo's own reading of its routes, and the items that its workload writes."""

from random import Random
from typing import Any

import pytest

from consumer.settings.loading import load_settings
from localdev.demo.stage import ROUTES
from localdev.demo.telling import card_numbers, everything, operation_of, shop
from localdev.workload.change import Change, Delete, Insert, Update, Value
from localdev.workload.event_type import SHOP_EVENT_TYPES
from localdev.workload.shop import KEYS, Shop

Item = dict[str, Value]


def record(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any]:
    name = "REMOVE" if new is None else "INSERT" if old is None else "MODIFY"
    images = {"OldImage": old, "NewImage": new}
    return {"eventName": name, "dynamodb": {k: v for k, v in images.items() if v is not None}}


def order(status: str, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": "o-1"}, "kind": {"S": "ORDER"}, "status": {"S": status}, **more}


def paid(number: str, method: str = "card") -> dict[str, Any]:
    return {"payment": {"M": {"card_number": {"S": number}, "method": {"S": method}}}}


LINE = {"kind": {"S": "LINE"}, "sku": {"S": "cup"}}
CUSTOMER = {"kind": {"S": "CUSTOMER"}, "pk": {"S": "c"}, "name": {"S": "A"}, "country": {"S": "FI"}}
LOCK = {"kind": {"S": "LOCK"}}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (None, order("DRAFT"), None),
        (None, order("NEW"), "C"),
        (order("DRAFT"), order("NEW"), "C entered"),
        (order("NEW"), order("PAID"), "U"),
        (order("PAID", **paid("1")), order("PAID", **paid("2")), None),
        (order("PAID", **paid("1")), order("PAID", **paid("1", "invoice")), "U"),
        (order("PAID"), order("PAID", gsi1pk={"S": "x"}), None),
        (order("PAID"), order("ARCHIVED"), "D left"),
        (order("DRAFT"), order("ARCHIVED"), None),
        (order("ARCHIVED"), None, None),
        (order("PAID"), None, "D"),
        (None, LINE, "C"),
        (LINE, None, "D"),
        (None, LOCK, None),
        (LOCK, None, None),
    ],
)
def test_what_readers_of_orders_are_told(
    old: dict[str, Any] | None, new: dict[str, Any] | None, told: str | None
) -> None:
    assert shop(record(old, new)) == ({} if told is None else {"shop.order": told})


def test_what_readers_of_customers_are_told() -> None:
    moved = {**CUSTOMER, "country": {"S": "SE"}}
    assert shop(record(None, CUSTOMER)) == {"shop.customer": "C"}
    assert shop(record(CUSTOMER, moved)) == {"shop.customer": "U"}
    assert shop(record(CUSTOMER, None)) == {"shop.customer": "D"}
    assert shop(record(CUSTOMER, {**CUSTOMER, "birthday": {"S": "1815-12-10"}})) == {}


def test_one_event_type_is_told_of_everything() -> None:
    rule = everything("a.b")
    records = [record(None, LOCK), record(LOCK, LINE), record(LOCK, None)]
    assert [rule(each) for each in records] == [{"a.b": "C"}, {"a.b": "U"}, {"a.b": "D"}]


def test_card_numbers_are_those_of_both_images() -> None:
    both = record(order("PAID", **paid("1")), order("PAID", **paid("2")))
    assert list(card_numbers(both)) == ["1", "2"]
    assert list(card_numbers(record(None, LOCK))) == []


def test_the_operation_names_what_entered_and_left() -> None:
    assert operation_of({"data_op": "U", "data": {}}) == "U"
    assert operation_of({"data_op": "D", "data": {"change": {"left": True}}}) == "D left"


def test_the_settings_file_can_be_loaded_and_has_the_event_types() -> None:
    settings = load_settings(
        {
            "CONSUMER_CONFIG_FILE": str(ROUTES),
            "CONSUMER_NAKADI_URL": "http://n",
            "CONSUMER_TABLE": "shop",
        }
    )
    assert [route.event_type for route in settings.routes] == list(SHOP_EVENT_TYPES)


def changes(count: int) -> list[Change]:
    shop_ = Shop(Random(1))
    return [shop_.change() for _ in range(count)]


def test_every_change_is_possible_and_every_answer_occurs() -> None:
    table: dict[tuple[object, ...], Item] = {}
    old: Item | None
    new: Item | None
    told: dict[str, int] = {}
    for change in changes(3000):
        match change:
            case Insert(item):
                key = tuple(item[name] for name in KEYS)
                assert key not in table
                old, new = None, dict(item)
            case Update(place, sets, removes):
                key = tuple(place[name] for name in KEYS)
                old = table[key]
                kept = {name: value for name, value in old.items() if name not in removes}
                assert set(removes) <= set(old)
                new = {**kept, **sets}
                assert new != old
            case Delete(place):
                key = tuple(place[name] for name in KEYS)
                old, new = table.pop(key), None
        if new is not None:
            table[key] = new
        seen = shop(record(as_wire(old), as_wire(new)))
        for name in [f"{each} {seen[each]}" for each in seen] or ["nobody"]:
            told[name] = told.get(name, 0) + 1
    expected = {"nobody"} | {f"shop.customer {each}" for each in "CU"}
    expected |= {f"shop.order {each}" for each in ("C", "C entered", "U", "D", "D left")}
    assert told.keys() == expected
    assert min(told.values()) > 20


def as_wire(item: Item | None) -> dict[str, Any] | None:
    """An image, as much of it as the rule looks at."""
    if item is None:
        return None
    wire: dict[str, Any] = {name: {"S": str(value)} for name, value in item.items()}
    payment = item.get("payment")
    if isinstance(payment, dict):
        wire["payment"] = {"M": {name: {"S": value} for name, value in payment.items()}}
    return wire
