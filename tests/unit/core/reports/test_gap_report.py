"""Gap rows as `consumer gaps` prints them."""

from consumer.core.leases.lease import Gap
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
