"""What is said of a table."""

from consumer.core.republish.table_description import TableDescription


def test_a_table_that_says_little_is_on_demand_and_in_one_region() -> None:
    facts = TableDescription("orders", "arn", ("id",), {"id": "S"})
    assert (facts.read_capacity, facts.replicas, facts.stream) == (None, (), None)
