"""Gap rows as `consumer gaps` prints them."""

from consumer.core.leases.lease import Gap
from consumer.core.leases.mark import Ahead
from consumer.core.reports.gap_report import GapLine, gap_report


def test_gaps_of_all_streams_stand_in_the_order_of_their_time() -> None:
    old = Gap("s-2", "TRIM_HORIZON", None, "possibly_trimmed", 1793525400.9)
    new = Gap("s-1", "400", "500", "seek", 1793525401.0)
    assert gap_report({"t/1": [new], "t/0": [old]}) == (
        GapLine("t/0", "s-2", "TRIM_HORIZON", None, "possibly_trimmed", "2026-11-01T09:30:00Z"),
        GapLine("t/1", "s-1", "400", "500", "seek", "2026-11-01T09:30:01Z"),
    )


def test_the_json_has_the_names_of_the_row() -> None:
    (line,) = gap_report({"t/1": [Gap("s-1", "400", None, "trimmed", 0.0)]})
    assert list(line.as_json()) == ["stream", "shard_id", "from", "to", "reason", "detected_at"]


def test_a_gap_under_a_mark_names_the_event_types_that_lost_something() -> None:
    gap = Gap("s-1", "400", "500", "trimmed", 0.0, Ahead(600, ("audit", "payment")))
    (line,) = gap_report({"t/1": [gap]})
    assert line.lost_for == "audit, payment"
    assert line.as_json()["behind"] == ("audit", "payment")
    assert line.as_json()["ahead_to"] == "600"


def test_what_a_mark_does_not_reach_is_lost_for_all() -> None:
    ahead = Ahead(600, ("audit",))
    far = Gap("s-1", "400", "700", "trimmed", 0.0, ahead)
    unknown = Gap("s-2", "400", None, "shard_gone", 1.0, ahead)
    plain = Gap("s-3", "400", "500", "trimmed", 2.0)
    lines = gap_report({"t/1": [far, unknown, plain]})
    assert [line.lost_for for line in lines] == ["audit; behind 600 all"] * 2 + [""]
