"""Gap rows as `consumer gaps` prints them."""

from consumer.core.leases.lease import Gap
from consumer.core.leases.mark import Ahead
from consumer.core.reports.gap_report import gap_report

DAY = 86_400.0


def test_gaps_of_all_streams_stand_in_the_order_of_their_time() -> None:
    old = Gap("s-2", "TRIM_HORIZON", None, "possibly_trimmed", 1793525400.9)
    new = Gap("s-1", "400", "500", "seek", 1793525401.0)
    lines = gap_report({"t/1": [new], "t/0": [old]}, 1793525402.0)
    assert [(line.stream, line.shard_id, line.from_, line.to) for line in lines] == [
        ("t/0", "s-2", "TRIM_HORIZON", None),
        ("t/1", "s-1", "400", "500"),
    ]
    assert [line.reason for line in lines] == ["possibly_trimmed", "seek"]
    assert [line.detected_at for line in lines] == ["2026-11-01T09:30:00Z", "2026-11-01T09:30:01Z"]


def test_the_json_has_the_names_of_the_row() -> None:
    (line,) = gap_report({"t/1": [Gap("s-1", "400", None, "trimmed", DAY)]}, 0.0)
    assert " ".join(line.as_json()) == (
        "stream shard_id from to reason detected_at from_time to_time repaired_at repairable_until"
    )


def test_a_gap_can_be_repaired_until_the_backup_has_forgotten_where_it_begins() -> None:
    gap = Gap("s-1", "400", "500", "trimmed", 3 * DAY, None, DAY, 2 * DAY)
    (line,) = gap_report({"t/1": [gap]}, 36 * DAY)
    assert (line.from_time, line.to_time) == ("1970-01-02T00:00:00Z", "1970-01-03T00:00:00Z")
    assert line.repair == "until 1970-02-06T00:00:00Z"
    (line,) = gap_report({"t/1": [gap]}, 37 * DAY)
    assert line.repair == "until 1970-02-06T00:00:00Z", "part of it still can"
    (line,) = gap_report({"t/1": [gap]}, 37 * DAY + 1)
    assert (line.repair, line.as_json()["repairable_until"]) == ("too late", None)


def test_of_an_old_row_the_time_is_as_long_as_it_can_be() -> None:
    (line,) = gap_report({"t/1": [Gap("s-1", "400", "500", "trimmed", 3 * DAY)]}, 3 * DAY)
    assert (line.from_time, line.to_time) == ("1970-01-02T22:00:00Z", "1970-01-04T00:00:00Z")


def test_what_was_repaired_says_when() -> None:
    gap = Gap("s-1", "400", "500", "trimmed", DAY, repaired_at=2 * DAY)
    (line,) = gap_report({"t/1": [gap]}, 2 * DAY)
    assert line.repair == "done 1970-01-03T00:00:00Z"
    assert line.as_json()["repairable_until"] is None


def test_a_gap_under_a_mark_names_the_event_types_that_lost_something() -> None:
    gap = Gap("s-1", "400", "500", "trimmed", 0.0, Ahead(600, ("audit", "payment")))
    (line,) = gap_report({"t/1": [gap]}, 0.0)
    assert line.lost_for == "audit, payment"
    assert line.as_json()["behind"] == ("audit", "payment")
    assert line.as_json()["ahead_to"] == "600"


def test_what_a_mark_does_not_reach_is_lost_for_all() -> None:
    ahead = Ahead(600, ("audit",))
    far = Gap("s-1", "400", "700", "trimmed", 0.0, ahead)
    unknown = Gap("s-2", "400", None, "shard_gone", 1.0, ahead)
    plain = Gap("s-3", "400", "500", "trimmed", 2.0)
    lines = gap_report({"t/1": [far, unknown, plain]}, 0.0)
    assert [line.lost_for for line in lines] == ["audit; behind 600 all"] * 2 + [""]
