"""Token and certificate for Nakadi, and the fallback region for AWS, from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.adapters.tls import Tls
from consumer.adapters.token import FileToken, LiteralToken, NoToken

if TYPE_CHECKING:
    from consumer.adapters.token import Token
    from consumer.settings.settings import Settings


def token_of(settings: Settings) -> Token:
    """Return the source of the bearer token."""
    if settings.nakadi_token is not None:
        return LiteralToken(settings.nakadi_token.get_secret_value())
    if settings.nakadi_token_file is not None:
        return FileToken(settings.nakadi_token_file)
    return NoToken()


def tls_of(settings: Settings) -> Tls:
    """Return how connections to Nakadi are secured. Raise Misconfigured for unusable files."""
    return Tls(settings.nakadi_client_cert_file, settings.nakadi_client_key_file)


def fallback_region(settings: Settings) -> str | None:
    """Return the region in the stream's ARN; None if the stream is found by its table."""
    return settings.stream_arn.split(":")[3] if settings.stream_arn is not None else None
