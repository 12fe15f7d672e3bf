"""One application, one purpose: what fits a stream row, what is added, and what is replaced."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from consumer.core.leases.lease import Lease, StreamRow
from consumer.core.leases.streams.purpose import (
    Purpose,
    event_types_of,
    second_senders,
    stored_before,
    with_stored,
)


def line(event_type: str, **more: object) -> str:
    """The fingerprint of a single event type, as version 0.1.0 writes it."""
    return json.dumps({"event_type": event_type, "data_type": event_type, **more})


def single(event_type: str, **more: object) -> Purpose:
    return Purpose(line(event_type, **more), (event_type,))


def routed(*event_types: str) -> Purpose:
    return Purpose(json.dumps({"event_types": sorted(event_types)}), event_types, routed=True)


BARE = StreamRow("arn", "orders", "label", None, "TRIM_HORIZON", None, True, 1, 1, 0, "")
OLD = replace(BARE, fingerprint=line("order"))
"""A row of version 0.1.0."""

LISTED = replace(OLD, event_types=("order", "payment"))


def test_a_single_event_type_compares_the_fingerprint() -> None:
    assert single("order").fits(OLD)
    assert single("order").fits(LISTED)
    assert not single("order", layout="nested").fits(OLD)
    assert not single("payment").fits(LISTED)


def test_routes_share_one_of_the_event_types() -> None:
    assert routed("order", "audit").fits(OLD)
    assert not routed("payment", "audit").fits(OLD)
    assert routed("payment", "audit").fits(LISTED)
    assert not routed("audit").fits(LISTED)
    assert not routed("order").fits(replace(LISTED, event_types=("payment",)))


@pytest.mark.parametrize("other", ["", "orders", "[1]", "3", '{"event_type": 7}', "{}", '"order"'])
def test_a_fingerprint_that_names_none_is_shared_by_nobody(other: str) -> None:
    row = replace(BARE, fingerprint=other)
    assert event_types_of(row) == ()
    assert not routed("order").fits(row)


def test_the_fingerprint_of_routes_names_them() -> None:
    assert event_types_of(replace(BARE, fingerprint=routed("b", "a").fingerprint)) == ("a", "b")


def test_routes_add_their_own_and_a_single_event_type_changes_nothing() -> None:
    old, listed = replace(OLD, stream_prefix=""), replace(LISTED, stream_prefix="")
    assert routed("order", "audit").joined(old) == replace(old, event_types=("order", "audit"))
    assert routed("payment").joined(listed) == listed
    assert single("order").joined(old) == old
    assert single("order").joined(listed) == listed


def test_from_a_single_event_type_to_routes_and_back() -> None:
    row = routed("order", "audit").joined(OLD)
    assert single("order").fits(row)
    assert routed("audit").fits(row)  # the one it began with may go
    assert single("order").fits(routed("audit", "more").joined(row))
    assert not single("audit").fits(row)  # it publishes under another fingerprint


def test_a_service_that_began_with_routes_may_move_to_one_of_their_event_types() -> None:
    born = replace(LISTED, fingerprint=routed("order", "payment").fingerprint)
    assert single("order").fits(born)
    assert not single("audit").fits(born)
    assert not single("payment").fits(LISTED)  # its fingerprint is of a single event type
    assert not Purpose("?", ("order",)).fits(replace(LISTED, fingerprint="{"))


def test_the_first_row_says_what_its_writer_publishes() -> None:
    made = single("order").first(replace(BARE, fingerprint="?"), None)
    assert (made.fingerprint, made.event_types, made.published) == (line("order"), None, ())
    made = routed("order", "audit").first(BARE, None)
    assert made.fingerprint == routed("order", "audit").fingerprint
    assert (made.event_types, made.published) == (("order", "audit"), ())


def test_a_new_streams_row_copies_the_older_one() -> None:
    older = replace(LISTED, published=("order",))
    made = routed("payment").first(BARE, older)
    assert (made.fingerprint, made.event_types, made.published) == (
        line("order"),
        ("order", "payment"),
        ("order",),
    )
    made = single("order").first(BARE, OLD)
    assert (made.fingerprint, made.event_types, made.published) == (line("order"), None, None)


def test_an_accepted_change_replaces_everything() -> None:
    assert single("payment").imposed(OLD) == replace(OLD, fingerprint=line("payment"))
    assert single("payment").imposed(LISTED) == replace(
        LISTED, fingerprint=line("payment"), event_types=("payment",)
    )
    made = routed("audit").imposed(LISTED)
    assert (made.fingerprint, made.event_types) == (routed("audit").fingerprint, ("audit",))
    assert not single("order").fits(made)
    made = routed("audit", "order").imposed(LISTED)
    assert (made.fingerprint, made.event_types) == (line("order"), ("audit", "order"))
    assert routed("audit", "order").imposed(made) == made
    assert single("order").imposed(OLD) == OLD


@pytest.mark.parametrize("of", [single("order"), routed("order", "audit")])
def test_a_row_says_what_stands_before_the_label_in_events(of: Purpose) -> None:
    moved = replace(of, stream_prefix="b-")
    for older in (None, OLD, replace(OLD, stream_prefix="")):
        assert moved.first(BARE, older).stream_prefix == "b-"
        assert of.first(BARE, older).stream_prefix == ""
    assert of.says_as(OLD)  # no event of such a worker names its stream
    assert moved.says_as(OLD)
    assert moved.joined(OLD).stream_prefix == "b-"
    named = of.joined(OLD)
    assert named.stream_prefix == ""
    assert of.says_as(named)
    assert not moved.says_as(named)
    assert moved.fits(named)  # it is the same purpose all the same
    assert moved.imposed(named).stream_prefix == "b-"
    assert of.imposed(OLD).stream_prefix is None  # nothing is replaced


def test_what_was_stored_is_kept_once() -> None:
    new = replace(OLD, published=())
    assert stored_before(new, [Lease("s", None, record_at=1.0)]) == ()
    after = with_stored(new, [], {"order"})
    assert after.published == ("order",)
    assert with_stored(after, [], {"order"}) == after
    assert with_stored(after, [], ()) == after
    assert with_stored(after, [], {"b", "a", "order"}).published == ("order", "a", "b")


def test_an_older_row_has_stored_what_its_leases_have_settled() -> None:
    """Else a service that is upgraded in an outage would not become ready."""
    fresh, read = Lease("s", None), Lease("t", None, record_at=5.0)
    assert stored_before(OLD, [fresh]) == ()
    assert stored_before(OLD, [fresh, read]) == ("order",)
    assert with_stored(OLD, [read], ()) == OLD
    assert with_stored(OLD, [read], {"payment"}).published == ("order", "payment")
    assert with_stored(OLD, [fresh], {"payment"}).published == ("payment",)


def test_an_application_that_is_named_like_an_event_type_is_a_second_sender() -> None:
    ours = routed("order", "payment")
    assert second_senders(ours, "shop", ["shop", "order", "other"]) == ("order",)
    assert second_senders(ours, "order", ["order"]) == ()
    assert second_senders(ours, "order", ["order", "payment"]) == ("payment",)
    assert second_senders(single("order"), "shop", ["order"]) == ()


def test_what_a_row_names_beside_the_own_event_types_is_lacking() -> None:
    assert single("order").lacks(OLD) == routed("order", "line").lacks(OLD) == ()
    assert single("order").lacks(LISTED) == ("payment",)
    assert routed("payment").lacks(LISTED) == ("order",)
    assert single("order").lacks(BARE) == ()
