"""The digest of a route's rules: one for each way of making events, and the same for ever."""

import pytest
from msgspec.structs import fields, replace

from consumer.core.event.event import Category, EventFormat, Layout, MetadataSources
from consumer.core.event.selection.attribute_path import AttributePath, read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.routes.digest import digest

PLAIN = EventFormat("order", ("id",))


def paths(*texts: str) -> tuple[AttributePath, ...]:
    return tuple(map(read_path, texts))


CARD = Selection(exclude=paths("card", "customer.iban"))
OTHERS = {
    "data_type": replace(PLAIN, data_type="orders"),
    "patch": replace(PLAIN, patch=False),
    "patch_field": replace(PLAIN, patch_field="diff"),
    "change": replace(PLAIN, change=False, category=Category.BUSINESS),
    "change_field": replace(PLAIN, change_field="meta"),
    "layout": replace(PLAIN, layout=Layout.NESTED),
    "selection": replace(PLAIN, selection=CARD),
    "selection, of nothing": replace(PLAIN, selection=Selection()),
    "selection, more": replace(PLAIN, selection=Selection(exclude=paths("card"))),
    "selection, another path": replace(PLAIN, selection=Selection(exclude=paths("/customer.iban"))),
    "selection, included": replace(PLAIN, selection=Selection(include=paths("card"))),
    "selection, nothing included": replace(PLAIN, selection=Selection(include=())),
    "selection, renamed": replace(PLAIN, selection=Selection(rename=(("a", "b"),))),
    "selection, replication": replace(PLAIN, selection=Selection(replication=True)),
    "category": replace(PLAIN, category=Category.BUSINESS),
    "body": replace(PLAIN, body="payload"),
    "metadata": replace(PLAIN, metadata=MetadataSources(eid="a")),
    "metadata, another member": replace(PLAIN, metadata=MetadataSources(flow_id="a")),
    "eid_event_type": replace(PLAIN, eid_event_type="a.b"),
}


def test_whatever_decides_an_events_bytes_is_in_it() -> None:
    found = {digest("a.b", form) for form in (PLAIN, *OTHERS.values())} | {digest("a.c", PLAIN)}
    assert len(found) == len(OTHERS) + 2


def test_each_field_of_the_format_was_thought_of() -> None:
    """A new field belongs into the digest, or here with the reason why not."""
    no_byte = {"ordering_key", "event_bytes"}  # the order and a limit
    beside = {"stream_prefix"}  # in the letter: what is made again keeps its place
    looked_for = {"touch_attribute"}  # in each letter's event, which is made again if it has it
    assert {
        field.name for field in fields(EventFormat)
    } == no_byte | beside | looked_for | OTHERS.keys() & {
        field.name for field in fields(EventFormat)
    }


@pytest.mark.parametrize(
    "same",
    [
        replace(PLAIN, ordering_key=("id", "line")),
        replace(PLAIN, event_bytes=5),
        replace(PLAIN, stream_prefix="b-"),
        replace(PLAIN, patch=True),
    ],
)
def test_what_decides_no_byte_is_not(same: EventFormat) -> None:
    assert digest("a.b", same) == digest("a.b", PLAIN)


def test_without_patches_their_name_decides_nothing() -> None:
    off = replace(PLAIN, patch=False)
    assert digest("a.b", replace(off, patch_field="x")) == digest("a.b", off)


def test_the_order_of_paths_and_names_decides_nothing() -> None:
    one = Selection(exclude=paths("a", "b.c"), rename=(("x", "y"), ("v", "w")))
    other = Selection(exclude=paths("b.c", "a", "a"), rename=(("v", "w"), ("x", "y")))
    assert digest("a.b", replace(PLAIN, selection=one)) == digest(
        "a.b", replace(PLAIN, selection=other)
    )


@pytest.mark.parametrize(
    ("form", "golden"),
    [
        (PLAIN, "bf71a2e40e8586a34990cdb953e72ab8"),
        (
            replace(
                OTHERS["selection"],
                eid_event_type="a.b",
                metadata=MetadataSources(flow_id="flöw"),
            ),
            "b568ee889755f0d6e1df8adf6354554e",
        ),
    ],
)
def test_it_is_the_same_in_each_version(form: EventFormat, golden: str) -> None:
    """Letters in the queue have it: with another one, their events are not published any more."""
    assert digest("a.b", form) == golden
