"""What is said of a table."""

from consumer.core.republish.table.table_description import TableDescription


def test_a_table_that_says_little_is_on_demand_and_in_one_region() -> None:
    facts = TableDescription("orders", "arn", ("id",), {"id": "S"})
    assert (facts.read_capacity, facts.replicas, facts.stream) == (None, (), None)


def test_the_mean_size_of_an_item() -> None:
    facts = TableDescription("orders", "arn", ("id",), {"id": "S"}, items=4, size_bytes=10)
    assert facts.item_bytes == 2.5
    assert TableDescription("orders", "arn", ("id",), {"id": "S"}).item_bytes is None
