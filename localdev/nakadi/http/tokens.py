"""The token service behind Nakadi, reduced to its answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class TokenState(StrEnum):
    """The answers of the token service about a token."""

    GOOD = "good"
    REFUSED = "refused"  # it answers 400: no such token
    EXPIRED = "expired"  # it answers 401
    SLOW = "slow"  # it does not answer within two seconds


class UnauthorizedError(Exception):
    """A request without a valid token: 401, or 503 while tokens cannot be checked.

    `challenge` is the WWW-Authenticate header. The body of the 503 says 500; it does so in the
    real server, too.
    """

    def __init__(self, status: int, challenge: str, stated: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.challenge = challenge
        self.body: dict[str, str | int] = {
            "type": f"https://httpstatus.es/{stated}",
            "title": title,
            "status": stated,
            "detail": detail,
        }


@dataclass(slots=True)
class TokenService:
    """Checks tokens if `required`. Unnamed tokens are refused; if none is named, all are valid."""

    required: bool = False
    down: bool = False
    tokens: dict[str, TokenState] = field(default_factory=dict)

    def check(self, authorization: str | None) -> None:
        """Raise unless a request's Authorization header is acceptable."""
        if not self.required:
            return
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized(
                "unauthorized", "Full authentication is required to access this resource"
            )
        if self.down:
            raise _unavailable()
        state = self.tokens.get(token, TokenState.REFUSED if self.tokens else TokenState.GOOD)
        match state:
            case TokenState.GOOD:
                return
            case TokenState.REFUSED:
                raise _unauthorized("invalid_token", "Access Token not valid")
            case TokenState.EXPIRED:
                raise _unauthorized("invalid_token", "invalid_token")
            case TokenState.SLOW:
                raise _unavailable()


def _unauthorized(error: str, detail: str) -> UnauthorizedError:
    challenge = f'Bearer realm="oauth", error="{error}", error_description="{detail}"'
    return UnauthorizedError(401, challenge, 401, "Unauthorized", detail)


def _unavailable() -> UnauthorizedError:
    return UnauthorizedError(
        503, 'Bearer realm="oauth"', 500, "Internal Server Error", "Unable to validate token"
    )
