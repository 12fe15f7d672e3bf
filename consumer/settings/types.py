"""The types of settings: how text becomes a value, and the unit of the value.

A converter raises ValueError with what is wanted; the loader adds the setting and what was found.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Struct
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from consumer.core.event.event import Layout
from consumer.core.host import HOST_PATTERN, is_host
from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON
from consumer.core.routes.filters.lambda_filter import read_filter_json
from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.core.secret import secret_word
from consumer.core.stream.stream import Stream

SMALLEST_QUEUE = 16 * 1024 * 1024
SHORTEST_DRAIN_SECONDS = 1

# Upper limits, against a number that was mistyped. Nothing that works reaches them.
LONGEST_SECONDS = 86_400
"""A day: what the stream keeps. A worker that waits longer for anything loses changes."""

OLDEST_RECORD_SECONDS = 31_536_000
"""A year: no change waits that long for Nakadi. For no limit the setting is left out."""

LARGEST_EVENT = 2_000_000
"""The largest event that a Nakadi is known to be set up for; by default it takes 999,000 bytes."""

LARGEST_BATCH = 50_000_000
"""The largest request that a Nakadi is known to be set up for."""

MOST_EVENTS = 500_000
"""No request of LARGEST_BATCH has more events: the smallest ones have more than 100 bytes."""

MOST_REQUESTS = 1_000
"""Each request in flight is a connection, and a process may often have 1,024 open files. With
batches of the default size they take 1.8 GB."""

_NAME = re.compile(r"[^\x00-\x1f\x7f]+")
_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
_STREAM_ARN = re.compile(r"arn:[^:]+:dynamodb:[^:]*:[^:]*:table/[^/]+/stream/.+")
_SECRET_ARN = re.compile(r"arn:[^:]+:secretsmanager:[^:]+:[^:]*:secret:[^:]+")
_STREAM_PREFIX = re.compile(r"[a-zA-Z0-9_.:~-]{0,32}")
_TOUCH_ATTRIBUTE = re.compile(r"[a-zA-Z0-9_.:-]{1,255}")
_EVENT_TYPE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_OF_AWS = "aws:"
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_PORT = r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_HTTP_URL = re.compile(rf"[Hh][Tt][Tt][Pp][Ss]?://({HOST_PATTERN})(:(0*({_PORT}))?)?(/[^?#\s]*)?")
_START = re.compile(
    r"[Tt][Rr][Ii][Mm]_[Hh][Oo][Rr][Ii][Zz][Oo][Nn]|[Ll][Aa][Tt][Ee][Ss][Tt]"
    r"|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)


class Unit(Struct, frozen=True):
    """The unit of a value, or its form."""

    name: str


class DefaultText(Struct, frozen=True):
    """The description of a default, printed instead of its value."""

    text: str


def name(text: str) -> str:
    """Accept a name without control characters."""
    if not _NAME.fullmatch(text):
        raise ValueError("a name without control characters")
    return text


def table_name(text: str) -> str:
    """Accept a DynamoDB table name: 3 to 255 of `a-z A-Z 0-9 _ . -`."""
    if not _TABLE_NAME.fullmatch(text):
        raise ValueError("the name of a DynamoDB table (3 to 255 of a-z A-Z 0-9 _ . -), no ARN")
    return text


def stream_arn(text: str) -> str:
    """Accept the ARN of a DynamoDB stream."""
    try:
        return Stream.from_arn(text).arn
    except ValueError:
        raise ValueError("the ARN of a DynamoDB stream (…:table/NAME/stream/LABEL)") from None


def secret_arn(text: str) -> str:
    """Accept the ARN of a secret in Secrets Manager, without a key or a version."""
    if not _SECRET_ARN.fullmatch(text):
        raise ValueError("the ARN of a secret (arn:…:secretsmanager:…:secret:NAME)")
    return text


def stream_prefix(text: str) -> str:
    """Accept at most 32 of `a-z A-Z 0-9 _ . : ~ -`. Readers compare it character by character."""
    if not _STREAM_PREFIX.fullmatch(text):
        raise ValueError("at most 32 of a-z A-Z 0-9 _ . : ~ -")
    return text


def touch_attribute(text: str) -> str:
    """Accept a name that JSON writes in one way: 1 to 255 of `a-z A-Z 0-9 _ . : -`."""
    if not _TOUCH_ATTRIBUTE.fullmatch(text) or text.startswith(_OF_AWS):
        raise ValueError(f"1 to 255 of a-z A-Z 0-9 _ . : -, not beginning with {_OF_AWS}")
    return text


def event_type(text: str) -> str:
    """Accept the name of an event type. It needs no escaping in a URL."""
    if not _EVENT_TYPE.fullmatch(text):
        raise ValueError("the name of a Nakadi event type such as order-store.payment")
    return text


def http_url(text: str) -> str:
    """Accept a URL without credentials, query or fragment; remove slashes at its end."""
    found = _HTTP_URL.fullmatch(text)
    if found is None or not is_host(found[1]):
        raise ValueError(
            "an http or https URL with a host name (labels of 1 to 63 letters) or an IP address,"
            " without credentials, query or fragment"
        )
    return text.rstrip("/")


def attributes(value: object) -> object:
    """Return `a, b` as ("a", "b")."""
    if not isinstance(value, str):
        return value
    names = tuple(part.strip() for part in value.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise ValueError("different attribute names, comma separated")
    return names


def host_names(value: object) -> object:
    """Return `A.example.org, b` as ("a.example.org", "b")."""
    if not isinstance(value, str):
        return value
    names = tuple(part.strip() for part in value.split(","))
    if not all(_HOST_NAME.fullmatch(each) for each in names):
        raise ValueError("host names without ports, comma separated")
    return tuple(each.lower() for each in names)


def start(text: str) -> str:
    """Return TRIM_HORIZON, LATEST, or a time as `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`."""
    if text.upper() in {TRIM_HORIZON, LATEST}:
        return text.upper()
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        pass
    raise ValueError("trim_horizon, latest or a time with its zone like 2026-11-01T09:30:00Z")


def secret(value: object) -> object:
    """Return a token without the white space around it."""
    if not isinstance(value, str):
        return value
    word = secret_word(value)
    if word is None:
        raise ValueError("one word of printable ASCII")
    return word


def filter_text(text: str) -> str:
    """Accept the JSON text of a filter."""
    try:
        read_filter_json(text)
    except BadPattern as error:
        raise ValueError(f"a filter in Lambda's language; {error}") from None
    return text


def lower(value: object) -> object:
    """Return a word in lower case."""
    return value.lower() if isinstance(value, str) else value


def upper(value: object) -> object:
    """Return a word in upper case."""
    return value.upper() if isinstance(value, str) else value


def queue_bytes(count: int) -> int:
    """Accept 16 MiB or more."""
    if count < SMALLEST_QUEUE:
        raise ValueError(f"at least 16 MiB ({SMALLEST_QUEUE} bytes)")
    return count


def drain_seconds(seconds: float) -> float:
    """Accept more than a second: a part of the drain is left to release the leases."""
    if seconds <= SHORTEST_DRAIN_SECONDS:
        raise ValueError(f"more than {SHORTEST_DRAIN_SECONDS} s")
    return seconds


def _schema(**schema: float | str) -> object:
    """Return members for the JSON schema of the settings, from which the chart's is made."""
    return Field(json_schema_extra={**schema})


def _pattern(form: re.Pattern[str]) -> object:
    """Return a pattern for the JSON schema; Python, Go and ECMAScript read it alike."""
    return _schema(pattern=f"^({form.pattern})$")


Name = Annotated[str, Field(max_length=255), AfterValidator(name), _pattern(_NAME), Unit("name")]
TableName = Annotated[str, AfterValidator(table_name), _pattern(_TABLE_NAME), Unit("name")]
StreamArn = Annotated[str, AfterValidator(stream_arn), _pattern(_STREAM_ARN), Unit("ARN")]
SecretArn = Annotated[str, AfterValidator(secret_arn), _pattern(_SECRET_ARN), Unit("ARN")]
StreamPrefix = Annotated[str, AfterValidator(stream_prefix), _pattern(_STREAM_PREFIX), Unit("text")]
TouchAttributeName = Annotated[
    str, AfterValidator(touch_attribute), _pattern(_TOUCH_ATTRIBUTE), Unit("name")
]
EventTypeName = Annotated[
    str, Field(max_length=255), AfterValidator(event_type), _pattern(_EVENT_TYPE), Unit("name")
]
Attributes = Annotated[tuple[str, ...], BeforeValidator(attributes), Unit("names")]
HostNames = Annotated[
    tuple[str, ...], BeforeValidator(host_names), _pattern(_HOST_NAME), Unit("names")
]
HttpUrl = Annotated[str, AfterValidator(http_url), _pattern(_HTTP_URL), Unit("URL")]
Secret = Annotated[SecretStr, BeforeValidator(secret), Unit("secret")]
File = Annotated[Path, Unit("path")]
FilterText = Annotated[str, AfterValidator(filter_text), Unit("JSON")]
Start = Annotated[str, AfterValidator(start), _pattern(_START), Unit("position or time")]
Switch = Annotated[bool, Unit("true, false")]
LayoutName = Annotated[Layout, BeforeValidator(lower), Unit("flat, nested")]
Seconds = Annotated[float, Field(gt=0, le=LONGEST_SECONDS, allow_inf_nan=False), Unit("seconds")]
RecordAge = Annotated[
    float, Field(gt=0, le=OLDEST_RECORD_SECONDS, allow_inf_nan=False), Unit("seconds")
]
EventBytes = Annotated[int, Field(ge=1000, le=LARGEST_EVENT), Unit("bytes")]
BatchBytes = Annotated[int, Field(ge=1000, le=LARGEST_BATCH), Unit("bytes")]
Queue = Annotated[int, AfterValidator(queue_bytes), _schema(minimum=SMALLEST_QUEUE), Unit("bytes")]
Drain = Annotated[
    Seconds, AfterValidator(drain_seconds), _schema(exclusiveMinimum=SHORTEST_DRAIN_SECONDS)
]
Count = Annotated[int, Field(ge=1), Unit("count")]
Events = Annotated[int, Field(ge=1, le=MOST_EVENTS), Unit("count")]
Requests = Annotated[int, Field(ge=1, le=MOST_REQUESTS), Unit("count")]
CountOrZero = Annotated[int, Field(ge=0), Unit("count")]
Host = Annotated[str, AfterValidator(name), Unit("address")]
Port = Annotated[int, Field(ge=0, le=65535), Unit("port")]
LogLevelName = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(upper), Unit("level")
]
LogFormatName = Annotated[Literal["json", "text"], BeforeValidator(lower), Unit("json, text")]
