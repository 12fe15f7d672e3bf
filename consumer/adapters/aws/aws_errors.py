"""What a failed AWS call means: one table for all services.

Nothing here concerns shards or leases: `streams` and `lease_table` handle the error codes that have
a meaning for them, and pass the others to `retryable`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from consumer.adapters.aws.credential_chain import CredentialsFailed, interrupted
from consumer.adapters.aws.get_records_parser import AnswerIncomplete, AnswerUnreadable
from consumer.adapters.http_failure import describe_failure
from consumer.adapters.odd_answer import unreadable
from consumer.errors import Misconfigured, Retryable

if TYPE_CHECKING:
    from typing import Final

NO_CREDENTIALS = (
    "AWS credentials: none found; wanted a role, a profile or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY"
)

CALL_FAILURES: Final = (
    ClientError,
    BotoCoreError,
    ResponseParserError,
    AnswerIncomplete,
    AnswerUnreadable,
    CredentialsFailed,
    TimeoutError,
)
"""Every exception that a client's call raises."""

_REASONS: Final = {
    **dict.fromkeys(
        (
            "LimitExceededException",
            "ThrottlingException",
            "Throttling",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "TooManyRequestsException",
            "KmsThrottled",
        ),
        "throttled",
    ),
    **dict.fromkeys(
        (
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
        "credentials",
    ),
    **dict.fromkeys(
        ("AccessDenied", "AccessDeniedException", "KmsAccessDenied", "NotAuthorized"),
        "access_denied",
    ),
    "ValidationException": "validation",
}

_REFUSALS: Final = ("validation", "refused")

LONGEST_DETAIL: Final = 300
"""Characters of a service's message that are passed on: to logs, to the worker's row, to people."""

_NOT_FOR_LOGS: Final = re.compile(
    r"the canonical string|the string-to-sign|\bauthorization( header)?\s*[:=]"
    r"|x-amz-security-token",
    re.IGNORECASE,
)
"""Where a message begins to quote our request: with it, signature and session token."""

_CODE: Final = re.compile(r"[A-Za-z0-9.:_-]{1,100}")

_TELLING: Final = (SSLError, ProxyConnectionError, ConnectTimeoutError, ReadTimeoutError)
"""Errors of botocore that name the endpoint, and quote nothing of an answer."""

_BROKEN: Final = (
    # aiobotocore raises the same for a connection that broke as for one that was never made; the
    # cause differs.
    (aiohttp.ClientPayloadError, "truncated"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorError, "unreachable"),
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (aiohttp.ServerTimeoutError, "timeout"),
    (aiohttp.ClientConnectionError, "reset"),
    (TimeoutError, "timeout"),
    (ReadTimeoutError, "timeout"),
    (ConnectTimeoutError, "connect_timeout"),
    (AnswerIncomplete, "truncated"),
    (AnswerUnreadable, "malformed_answer"),
    (ConnectionClosedError, "reset"),
    (EndpointConnectionError, "unreachable"),
    (ProxyConnectionError, "unreachable"),
    (SSLError, "tls"),
    (CredentialRetrievalError, "credentials"),
    (CredentialsFailed, "credentials"),
    (ResponseParserError, "malformed_answer"),
    (HTTPClientError, "malformed_answer"),
)


def error_code(error: Exception) -> str | None:
    """Return the service's error code, such as `ResourceNotFoundException`; None without one."""
    if not isinstance(error, ClientError):
        return None
    return str(error.response.get("Error", {}).get("Code", ""))


def answered_status(error: Exception) -> int | None:
    """Return the HTTP status of the answer; None if there was no answer."""
    if not isinstance(error, ClientError):
        return None
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status if isinstance(status, int) else None


def refuses(error: Exception) -> bool:
    """Return whether the service refuses what the request says: sent again, it would do so again.

    Only a code of its own says so. A page of a proxy has the HTTP status in place of a code.
    """
    code = error_code(error)
    return bool(code) and not str(code).isdigit() and reason_of(error) in _REFUSALS


def retryable(call: str, error: Exception) -> Retryable:
    """Return the failure of a call as a Retryable; `call` is the name of the operation.

    Raise Misconfigured if credentials or the region are missing, which a retry does not change.
    """
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, NoRegionError)):
        raise misconfigured(error) from error
    return Retryable(f"{call}: {describe(error)}", reason_of(error))


def reason_of(error: Exception) -> str:
    """Return a short word for metrics that says why a call failed."""
    if interrupted(error):
        return "credentials"
    code = error_code(error)
    if code is None:
        for broken in (_cause(error), error):
            for kind, reason in _BROKEN:
                if isinstance(broken, kind):
                    return reason
        return "error"
    known = _REASONS.get(code)
    if known is not None:
        return known
    return "server_error" if (answered_status(error) or 0) >= 500 else "refused"


def describe(error: Exception) -> str:
    """Return one line for a person: the service's code and message if it answered.

    A message is cut where it begins to quote the request, and at `LONGEST_DETAIL` characters. Of an
    answer that is not the service's only the kind is said: it may repeat anything.
    """
    if isinstance(error, ClientError):
        return _said(error)
    if interrupted(error):
        return "AWS credentials: their source did not answer in time"
    cause = _cause(error)
    if isinstance(cause, Exception) and not isinstance(error, _TELLING):
        return describe_failure(cause)
    text = " ".join(str(error).split())
    if isinstance(error, CredentialsFailed):
        return f"AWS credentials: {text}"
    if isinstance(error, ResponseParserError):
        return unreadable(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _said(error: ClientError) -> str:
    code = error_code(error) or ""
    message = str(error.response.get("Error", {}).get("Message", ""))
    if code.isdigit():
        return f"{code}: an answer without a code of the service"
    if not _CODE.fullmatch(code):
        return f"{answered_status(error)}: an answer with an odd code"
    return f"{code}: {_for_logs(message)}"


def _cause(error: Exception) -> object:
    """Return what the HTTP client raised, None if it raised nothing."""
    return error.kwargs.get("error") if isinstance(error, BotoCoreError) else None


def _for_logs(message: str) -> str:
    quoted = _NOT_FOR_LOGS.search(message)
    text = " ".join((message if quoted is None else f"{message[: quoted.start()]}…").split())
    return text if len(text) <= LONGEST_DETAIL else f"{text[:LONGEST_DETAIL]}…"


def misconfigured(error: Exception) -> Misconfigured:
    """Return a Misconfigured with one line that says what botocore found missing."""
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return Misconfigured(NO_CREDENTIALS)
    return Misconfigured(f"AWS: {describe(error)}")
