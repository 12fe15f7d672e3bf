"""Which event types are told of a change, and what: the demo's own reading of routes.yaml. Pure.

It is written out by hand, so that the service's routes are not judged by themselves.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Told = Mapping[str, str]
"""What a change becomes: an operation (see `operation_of`) by event type."""

Rule = Callable[[Mapping[str, Any]], Told]
"""From a record of the stream to what it becomes."""

SHOP_ORDER: Final = "shop.order"
SHOP_CUSTOMER: Final = "shop.customer"
CARD_NUMBER: Final = "card_number"

_OPERATIONS = {"INSERT": "C", "MODIFY": "U", "REMOVE": "D"}
_UNSEEN_STATUS = ("DRAFT", "ARCHIVED")
_OF_A_CUSTOMER = ("pk", "name", "country")

Image = Mapping[str, Any]


def operation_of(event: Mapping[str, Any]) -> str:
    """Return what an event tells: C, U or D, and whether its item entered or left the view."""
    change = event["data"].get("change", {})
    crossing = [name for name in ("entered", "left") if change.get(name)]
    return " ".join([str(event["data_op"]), *crossing])


def everything(event_type: str) -> Rule:
    """Return the rule of one event type that is told of every change."""
    return lambda record: {event_type: _OPERATIONS[record["eventName"]]}


def shop(record: Mapping[str, Any]) -> Told:
    """Return what routes.yaml makes of a change."""
    old, new = _images(record)
    kind = next(image["kind"]["S"] for image in (new, old) if image is not None)
    match kind:
        case "ORDER" | "LINE":
            told = {SHOP_ORDER: _operation(record, _order(old), _order(new))}
        case "CUSTOMER":
            told = {SHOP_CUSTOMER: _operation(record, _customer(old), _customer(new))}
        case _:
            told = {}
    return {event_type: operation for event_type, operation in told.items() if operation}


def card_numbers(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the card numbers in a change: they are to reach no event type."""
    for image in _images(record):
        payment = (image or {}).get("payment", {"M": {}})
        if CARD_NUMBER in payment["M"]:
            yield payment["M"][CARD_NUMBER]["S"]


def _operation(record: Mapping[str, Any], old: Image | None, new: Image | None) -> str:
    """Return the operation for what is seen before and after a change; none is empty."""
    updated = record["eventName"] == "MODIFY"
    if old is None:
        return "" if new is None else "C entered" if updated else "C"
    if new is None:
        return "D left" if updated else "D"
    return "" if old == new else "U"


def _order(image: Image | None) -> Image | None:
    """Return what is seen of an order or of one of its lines."""
    if image is None or image.get("status", {}).get("S") in _UNSEEN_STATUS:
        return None
    seen = {name: value for name, value in image.items() if name != "gsi1pk"}
    if "payment" in seen:
        members = seen["payment"]["M"].items()
        seen["payment"] = {name: value for name, value in members if name != CARD_NUMBER}
    return seen


def _customer(image: Image | None) -> Image | None:
    """Return what is seen of a customer."""
    return image and {name: image[name] for name in _OF_A_CUSTOMER}


def _images(record: Mapping[str, Any]) -> tuple[Image | None, Image | None]:
    change = record["dynamodb"]
    return change.get("OldImage"), change.get("NewImage")
