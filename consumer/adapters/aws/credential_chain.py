"""The AWS credentials of a session, whose source may fail at any time.

botocore's chain of providers raises whatever comes up where a source says something odd: KeyError,
TypeError, OSError, RuntimeError. Here all of that is CredentialsFailed, and the next call asks the
chain anew: credentials with a damaged expiry would otherwise never be replaced.
"""

from __future__ import annotations

import asyncio
from subprocess import SubprocessError
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiobotocore.session import AioSession
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    InfiniteLoopConfigError,
    InvalidConfigError,
    MissingDependencyException,
    PartialCredentialsError,
    ProfileNotFound,
    UnknownCredentialError,
)
from botocore.parsers import ResponseParserError

from consumer.adapters.aws.get_records_parser import AnswerIncomplete, AnswerUnreadable
from consumer.adapters.odd_answer import ODD
from consumer.errors import in_short

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_CONFIGURATION: Final = (
    ConfigNotFound,
    ConfigParseError,
    InfiniteLoopConfigError,
    InvalidConfigError,
    MissingDependencyException,
    PartialCredentialsError,
    ProfileNotFound,
    UnknownCredentialError,
)

_CHAIN_FAILURES: Final = (
    BotoCoreError,
    ClientError,
    ResponseParserError,
    AnswerIncomplete,
    AnswerUnreadable,
    aiohttp.ClientError,
    OSError,
    SubprocessError,
    *ODD,
)

_INTERRUPTED: Final = "while AWS credentials were fetched"


class CredentialsFailed(Exception):
    """The source of the credentials has failed, or has given some that cannot be used."""


class CredentialSession(AioSession):  # type: ignore[misc]
    """A session whose clients have the credentials of one chain, loaded when they are needed."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = CredentialChain(self._create_credential_resolver)

    async def get_credentials(self) -> CredentialChain:
        """Return the chain, which takes the place of the credentials in clients."""
        return self.chain


class CredentialChain:
    """The credentials of clients; `resolver` makes botocore's chain of providers."""

    method = "chain"

    def __init__(self, resolver: Callable[[], Any]) -> None:
        self._resolver = resolver
        self._loaded: Any = None
        self._loading = asyncio.Lock()

    async def load(self) -> Any:  # noqa: ANN401 - botocore's credentials
        """Return the credentials; None if no provider has any.

        Raise CredentialsFailed, or the BotoCoreError that says what is wrong with a profile.
        """
        async with self._loading:
            if self._loaded is None:
                try:
                    self._loaded = await self._resolver().load_credentials()
                except _CONFIGURATION:
                    raise
                except _CHAIN_FAILURES as error:
                    raise CredentialsFailed(in_short(error)) from error
            return self._loaded

    async def get_frozen_credentials(self) -> Any:  # noqa: ANN401 - botocore's credentials
        """Return the keys for one request. Raise CredentialsFailed."""
        try:
            return await self._frozen()
        except asyncio.CancelledError as error:
            error.add_note(_INTERRUPTED)
            raise

    async def get_account_id(self) -> str | None:
        """Return the account, None if the source does not name it. Raise CredentialsFailed."""
        account: str | None = (await self.get_frozen_credentials()).account_id
        return account

    def get_deferred_property(self, _: str) -> Callable[[], Awaitable[str | None]]:
        """Return what finds the account when a request needs it: no other property is asked for."""
        return self.get_account_id

    async def _frozen(self) -> Any:  # noqa: ANN401 - botocore's credentials
        try:
            loaded = await self.load()
        except _CONFIGURATION as error:
            raise CredentialsFailed(in_short(error)) from error
        if loaded is None:
            raise CredentialsFailed("none found")
        try:
            frozen = await loaded.get_frozen_credentials()
            if _usable(frozen):
                return frozen
            raise CredentialsFailed("keys that are no text")
        except (CredentialsFailed, *_CHAIN_FAILURES) as error:
            if self._loaded is loaded:
                self._loaded = None
            if isinstance(error, CredentialsFailed):
                raise
            raise CredentialsFailed(in_short(error)) from error


def interrupted(error: BaseException) -> bool:
    """Return whether a call ran into its time limit while it waited for credentials."""
    return isinstance(error, TimeoutError) and _INTERRUPTED in getattr(
        error.__cause__, "__notes__", ()
    )


def _usable(frozen: Any) -> bool:  # noqa: ANN401 - botocore's credentials
    keys = (frozen.access_key, frozen.secret_key, frozen.token or "-")
    return all(isinstance(key, str) and key.isascii() and key.isprintable() for key in keys)
