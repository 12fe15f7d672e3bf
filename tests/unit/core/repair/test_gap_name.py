"""Which gap an operator means."""

import pytest

from consumer.core.leases.lease import Gap
from consumer.core.repair.gap_name import UnknownGap, gap_named

FIRST = Gap("s-1", "400", None, "trimmed", 1.0)
SECOND = Gap("s-1", "TRIM_HORIZON", None, "possibly_trimmed", 2.0)
HOLE = Gap("*", "SHARD_END", None, "between_streams", 3.0)
GAPS = {"t/L1": [FIRST, HOLE], "t/L2": [SECOND, HOLE]}


def test_a_gap_is_named_by_shard_and_from() -> None:
    assert gap_named(GAPS, "s-1/400") == ("t/L1", FIRST)
    assert gap_named(GAPS, "s-1/TRIM_HORIZON") == ("t/L2", SECOND)


def test_where_two_streams_have_it_by_its_label_too() -> None:
    assert gap_named(GAPS, "L2/*/SHARD_END") == ("t/L2", HOLE)
    with pytest.raises(UnknownGap, match="streams L1, L2 have it"):
        gap_named(GAPS, "*/SHARD_END")


def test_part_of_a_name_is_none() -> None:
    with pytest.raises(UnknownGap, match=r"no such gap; there are s-1/400, \*/SHARD_END"):
        gap_named(GAPS, "1/400")
    with pytest.raises(UnknownGap, match="there are none"):
        gap_named({}, "s-1/400")
