"""Token and certificate for Nakadi, and the fallback region for AWS, from the settings."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from consumer.adapters.aws.secret_token import SecretToken
from consumer.adapters.tls import Tls
from consumer.adapters.token import FileToken, LiteralToken, NoToken
from consumer.errors import Retryable, TokenUnreachable
from consumer.runtime.cancellation import ending_group

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AsyncExitStack

    from consumer.adapters.aws.aws import Aws
    from consumer.adapters.token import Token
    from consumer.settings.settings import Settings

    Read = Callable[[], Awaitable[None]]


async def once(read: Read) -> None:
    """Read a secret; raise TokenUnreachable if that fails."""
    try:
        await read()
    except Retryable as error:
        raise TokenUnreachable(f"CONSUMER_NAKADI_TOKEN_SECRET: {error}") from error


async def open_token(
    stack: AsyncExitStack,
    settings: Settings,
    aws: Aws,
    now: Callable[[], float],
    first: Callable[[Read], Awaitable[None]] = once,
) -> Token:
    """Return the source of the bearer token, which is kept fresh until the stack closes.

    `first` reads a secret for the first time. Raise what it raises, and Misconfigured if the secret
    holds no token.
    """
    if settings.nakadi_token_secret is None:
        return token_of(settings)
    secret = await secret_token(settings.nakadi_token_secret, aws, now)
    await first(secret.read)
    await stack.enter_async_context(kept(secret))
    return secret


@asynccontextmanager
async def kept(secret: SecretToken) -> AsyncIterator[None]:
    """Keep a token fresh while the block runs."""
    async with ending_group() as tasks:
        tasks.create_task(secret.keep(), name="token")
        yield


async def secret_token(arn: str, aws: Aws, now: Callable[[], float]) -> SecretToken:
    """Return the token of a secret, which is not read yet."""
    return SecretToken(await aws.secrets(arn.split(":")[3]), arn, now)


def token_of(settings: Settings) -> Token:
    """Return the source of the bearer token where it is no secret of Secrets Manager."""
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
