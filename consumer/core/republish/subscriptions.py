"""Who reads an event type: its subscriptions, as Nakadi lists them."""

from __future__ import annotations

from msgspec import DecodeError, Struct, json


class Subscription(Struct, frozen=True):
    """A subscription of an event type. `owner` is the application that owns it."""

    id: str
    owner: str
    group: str


class _Item(Struct, frozen=True):
    id: str = ""
    owning_application: str = ""
    consumer_group: str = ""


class _Listing(Struct, frozen=True):
    items: list[_Item]


_decode = json.Decoder(_Listing).decode


def subscriptions_of(body: bytes) -> tuple[Subscription, ...] | None:
    """Return the subscriptions of a listing, by owner; None if it is none."""
    try:
        items = _decode(body).items
    except (DecodeError, RecursionError):
        return None
    found = {Subscription(each.id, each.owning_application, each.consumer_group) for each in items}
    return tuple(sorted(found, key=_place))


def _place(subscription: Subscription) -> tuple[str, str, str]:
    return subscription.owner, subscription.group, subscription.id
