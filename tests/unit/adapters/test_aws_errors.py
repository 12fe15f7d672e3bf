"""What is passed on of AWS's own words."""

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from consumer.adapters.aws.aws_errors import LONGEST_DETAIL, describe

DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/relay/i-1 is not authorized to perform:"
    " dynamodb:Query on resource: arn:aws:dynamodb:eu-central-1:123456789012:table/consumer-leases"
)


def error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Query")


def test_the_service_says_who_lacks_which_right() -> None:
    assert describe(error("AccessDeniedException", DENIED)) == f"AccessDeniedException: {DENIED}"


@pytest.mark.parametrize(
    "quoted",
    [
        "The Canonical String should have been\n'POST\n/\nx-amz-security-token:T0P'",
        "The String-to-Sign should have been\n'AWS4-HMAC-SHA256 T0P'",
        "Authorization=AWS4-HMAC-SHA256 Credential=T0P",
        "in Authorization header: 'AWS4-HMAC-SHA256 Signature=T0P'",
        "x-amz-security-token:T0P",
    ],
)
def test_what_a_service_quotes_of_our_request_is_cut_off(quoted: str) -> None:
    message = f"The signature does not match.\n\n{quoted}"
    told = describe(error("InvalidSignatureException", message))
    assert told.startswith("InvalidSignatureException: The signature does not match.")
    assert "T0P" not in told
    assert "\n" not in told


def test_long_words_are_cut() -> None:
    told = describe(error("ValidationException", "x" * 5000))
    assert len(told) < LONGEST_DETAIL + 30


def test_an_answer_that_botocore_cannot_read_is_not_quoted() -> None:
    unread = ResponseParserError("invalid XML received. Further retries may succeed:\nb'<a>geheim'")
    assert describe(unread) == "an answer that cannot be read (ResponseParserError)"
