"""What three routes must publish of a small shop, from a table of its own: no word of the service.

A `Model` is told of every write, and says what each event type must have got of each key: operation
and item as shown, in order.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

ROUTES = """\
application: shop
routes:
  - event_type: shop.order
    filter: {item: {kind: {S: [ORDER]}, status: {S: [{anything-but: [DRAFT, ARCHIVED]}]}}}
    exclude: [card, customer.iban, lines.card, notes.secret]
  - event_type: shop.line
    filter: {dynamodb: {NewImage: {kind: {S: [LINE]}}}}
    include: [id, sku, quantity]
    rename: {sku: article}
  - event_type: shop.customer
    filter: {item: {kind: {S: [CUSTOMER]}}}
    exclude: [iban, devices]
"""
EVENT_TYPES = ("shop.order", "shop.line", "shop.customer")

MARK = "4929317600"
"""Begins every value that no event type may show, as text and as a number."""

MARKED_BYTES = "NDkyOTMxNzYwMA=="  # base64 of MARK
UNSEEN = ("DRAFT", "ARCHIVED")

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What an event type is told: C, U or D, `entered` or `left`, and the item."""

    operation: str
    item: Item


@dataclass
class Model:
    """The table's items, and for each event type and key what was to be told."""

    items: dict[str, Item] = field(default_factory=dict)
    writes: dict[str, list[dict[str, Told]]] = field(default_factory=lambda: defaultdict(list))

    def put(self, item: Item) -> dict[str, Any]:
        """Note a write of a whole item, and return it as the streams server takes it."""
        key = str(item["id"])
        old = self.items.get(key)
        if old != item:  # else there is no record
            self.items[key] = item
            self.writes[key].append(told(old, item))
        return {"put": {name: wire(value) for name, value in item.items()}}

    def delete(self, key: str) -> dict[str, Any]:
        """Note a deletion, and return it as the streams server takes it."""
        old = self.items.pop(key, None)
        if old is not None:
            self.writes[key].append(told(old, None))
        return {"delete": {"id": {"S": key}}}

    def of(self, event_type: str) -> dict[str, list[Told]]:
        """What an event type must have got of each key."""
        found = {
            key: [each[event_type] for each in writes if event_type in each]
            for key, writes in self.writes.items()
        }
        return {key: each for key, each in found.items() if each}


def told(old: Item | None, new: Item | None) -> dict[str, Told]:
    """Return what a change becomes, by event type."""
    found = {
        "shop.order": _seen(old, new, _order(old), _order(new)),
        "shop.line": _line(old, new),
        "shop.customer": _seen(old, new, _customer(old), _customer(new)),
    }
    return {name: each for name, each in found.items() if each is not None}


def _seen(old: Item | None, new: Item | None, was: Item | None, now: Item | None) -> Told | None:
    """Return what the readers of a view are told, who see `was` and `now` of an item."""
    if was is None:
        return None if now is None else Told("C" if old is None else "C entered", now)
    if now is None:
        return Told("D" if new is None else "D left", was)
    return None if was == now else Told("U", now)


def _order(item: Item | None) -> Item | None:
    if item is None or item["kind"] != "ORDER" or item["status"] in UNSEEN:
        return None
    shown = {name: value for name, value in item.items() if name != "card"}
    shown["customer"] = {k: v for k, v in item["customer"].items() if k != "iban"}
    shown["lines"] = [{k: v for k, v in each.items() if k != "card"} for each in item["lines"]]
    shown["notes"] = {k: v for k, v in item["notes"].items() if k != "secret"}
    return shown


def _line(old: Item | None, new: Item | None) -> Told | None:
    """Return what a filter of Lambda sends: of what leaves it, it says nothing."""
    if new is None or new["kind"] != "LINE":
        return None
    shown, before = (
        {"id": i["id"], "article": i["sku"], "quantity": i["quantity"]} if i else None
        for i in (new, old)
    )
    if old is None:
        return Told("C", shown or {})
    return None if shown == before else Told("U", shown or {})


def _customer(item: Item | None) -> Item | None:
    if item is None or item["kind"] != "CUSTOMER":
        return None
    return {name: value for name, value in item.items() if name not in ("iban", "devices")}


def wire(value: object) -> dict[str, Any]:
    """Return a value as DynamoDB writes it; bytes are base64 already."""
    match value:
        case str():
            return {"S": value}
        case bytes():
            return {"B": value.decode()}
        case int():
            return {"N": str(value)}
        case set():
            return {"SS": sorted(value)}
        case list():
            return {"L": [wire(each) for each in value]}
        case dict():
            return {"M": {name: wire(each) for name, each in value.items()}}
        case _:
            raise TypeError(type(value))


def order(key: str, status: str, round_: int) -> Item:
    """An order whose hidden values are new in each round."""
    mark = f"{MARK}{round_:06}"
    return {
        "id": key,
        "kind": "ORDER",
        "status": status,
        "total": 100 + len(status),
        "card": int(mark),
        "customer": {"name": "Zoë", "iban": f"DE02{mark}"},
        "lines": [{"sku": "cup", "card": {mark: [f"of {mark}"]}}, {"sku": "pot"}],
        "notes": {"secret": {f"a {mark}", f"b {mark}"}, "text": "ring twice"},
    }


def line(key: str, quantity: int, round_: int) -> Item:
    """A line whose price nobody is told."""
    return {
        "id": key,
        "kind": "LINE",
        "sku": "cup",
        "quantity": quantity,
        "price": f"{MARK}{round_:06}",
    }


def customer(key: str, country: str, round_: int) -> Item:
    """A customer with a set and bytes that nobody is told."""
    return {
        "id": key,
        "kind": "CUSTOMER",
        "country": country,
        "iban": f"DE02{MARK}{round_:06}",
        "devices": [MARKED_BYTES.encode(), {f"{MARK}{round_:06}"}],
    }


def lock(key: str, owner: int) -> Item:
    """A lock, which no route takes."""
    return {"id": key, "kind": "LOCK", "owner": f"{MARK}{owner:06}"}
