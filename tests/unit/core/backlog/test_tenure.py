"""A tenure: one unbroken time of holding a shard."""

from consumer.core.backlog.tenure import Tenure


def test_two_tenures_of_one_shard_are_two() -> None:
    one, other = Tenure("arn", "s0", 1), Tenure("arn", "s0", 1)
    assert one != other
    assert {one: 1, other: 2}[one] == 1
    assert one.member == other.member == "arn/s0"


def test_shards_of_two_streams_are_two_members() -> None:
    assert Tenure("a", "s0", 1).member != Tenure("b", "s0", 1).member
