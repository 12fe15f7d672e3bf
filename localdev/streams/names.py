"""Identifiers as the service makes them; all a function of the seed and of what they name."""

from datetime import UTC, datetime
from hashlib import md5
from typing import Final

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"
FIRST_SEQUENCE: Final = 10**20  # 21 digits, the shortest the service documents
_NOISE: Final = 10**12


def digest(*parts: object) -> str:
    """Return 32 hex digits that are equal for equal parts."""
    text = "|".join(map(str, parts))  # an iterator that a client made up may have any characters
    return md5(text.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()


def fraction(*parts: object) -> float:
    """Return a number from 0 (inclusive) to 1 that is equal for equal parts."""
    return int(digest(*parts)[:13], 16) / 16**13


def table_arn(table: str) -> str:
    """Return a table's ARN."""
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"


def stream_label(milliseconds: int) -> str:
    """Return the label of a stream enabled at this time (since the epoch)."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03}"


def stream_arn(table: str, label: str) -> str:
    """Return a stream's ARN."""
    return f"{table_arn(table)}/stream/{label}"


def shard_id(milliseconds: int, hexadecimal: str) -> str:
    """Return the id of a shard created at this time (since the epoch), with 8 hex digits."""
    return f"shardId-{milliseconds:020}-{hexadecimal:.8}"


def sequence_number(seed: str, count: int) -> int:
    """Return the `count`-th number of a stream, from 1, ascending.

    The tenth has one digit more than the first, the hundredth two, as in the real service, where
    numbers of one stream have 21 to 40 digits: whoever compares them as text fails soon.
    """
    return FIRST_SEQUENCE * count + int(digest(seed, count)[:12], 16) % _NOISE
