"""One answer of the table."""

from consumer.core.republish.table.table_answer import TableAnswer
from tests.unit.core.republish.items import there


def test_an_answer_may_be_the_last_one() -> None:
    answer = TableAnswer((there({"id": {"S": "1"}}),))
    assert (answer.capacity, answer.unread, answer.after) == (0, (), None)
