"""What Python takes for a digit and this service does not: other scripts, superscripts."""

import pytest

from consumer.adapters.aws.whole_number import whole_number
from consumer.commands.events.redrive import positive, since
from consumer.commands.health import address
from consumer.commands.operate.seek import parse_target
from consumer.errors import Misconfigured, Retryable

ODD = ["\u00b2", "\u0663", "1\u00b2", "\u0661\u0662"]


@pytest.mark.parametrize("text", ODD)
def test_no_option_and_no_port_has_such_a_digit(text: str) -> None:
    with pytest.raises(Misconfigured):
        since(f"{text}h", 0.0)
    with pytest.raises(Misconfigured):
        positive(text)
    with pytest.raises(Misconfigured):
        parse_target(text)
    with pytest.raises(Misconfigured):
        address({"CONSUMER_HTTP_PORT": text})


def test_a_sequence_number_has_no_thousand_digits() -> None:
    assert parse_target("0012") == "12"
    with pytest.raises(Misconfigured):
        parse_target("9" * 5000)


@pytest.mark.parametrize("text", [*ODD, "", "1_0", " 1", "-1", "9" * 5000, None])
def test_an_answer_of_aws_with_such_a_number_is_malformed(text: object) -> None:
    with pytest.raises(Retryable) as failure:
        whole_number(text)
    assert failure.value.reason == "malformed_answer"


def test_an_ordinary_number_is_one() -> None:
    assert whole_number("12") == 12
    assert whole_number(0) == 0
