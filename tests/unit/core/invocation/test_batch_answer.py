"""What Lambda is told."""

import pytest

from consumer.core.invocation.batch_answer import BatchUnsettled, Unsettled, answer_of


@pytest.mark.parametrize("partial", [True, False])
def test_all_is_settled(*, partial: bool) -> None:
    assert answer_of(None, partial=partial) == {"batchItemFailures": []}


def test_the_first_unsettled_record_is_named_as_it_came() -> None:
    found = answer_of(Unsettled("000017", 3), partial=True)
    assert found == {"batchItemFailures": [{"itemIdentifier": "000017"}]}


def test_a_mapping_that_does_not_report_gets_an_error() -> None:
    with pytest.raises(BatchUnsettled, match="CONSUMER_LAMBDA_PARTIAL"):
        answer_of(Unsettled("17", 3), partial=False)


def test_a_record_without_a_number_can_only_be_repeated_with_all() -> None:
    with pytest.raises(BatchUnsettled, match="no SequenceNumber"):
        answer_of(Unsettled(None, 3), partial=True)
