"""What is said of a request that failed: in logs, `/status`, rows and on terminals.

HTTP clients quote what they read: a status line, a header, the size of a chunk, where a redirect
leads. Something between this service and its peer may have put a request into that, and with it an
item. So only the text of errors that quote nothing of an answer is said; of others the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.adapters.http_guard import AnswerToAnother
from consumer.adapters.limited_body import BodyUnreadable

if TYPE_CHECKING:
    from typing import Final

_OWN_WORDS: Final = (
    OSError,  # those of the system, of TLS and of name resolution, and time-outs
    AnswerToAnother,
    BodyUnreadable,
)

_KINDS: Final = {
    "ServerDisconnectedError": "the connection ended before the answer did",
    "ClientPayloadError": "the answer is cut off, or not coded as it says",
    "ClientHttpProxyError": "the proxy refuses the connection",
    "ClientResponseError": "the answer is not in the form of HTTP",
    "HttpProcessingError": "the answer is not in the form of HTTP",
    "RemoteProtocolError": "the answer is not in the form of HTTP",
    "InvalidURL": "the answer leads to something that is no URL",
}
"""By the names of aiohttp and httpx, which not every command imports."""


def describe_failure(error: BaseException) -> str:
    """Return a line for a person: the kind of an error, and what is known without the answer."""
    kind = type(error).__name__
    for base in type(error).__mro__:
        if base.__name__ in _KINDS:
            return f"{kind}: {_KINDS[base.__name__]}"
    text = " ".join(str(error).split()) if isinstance(error, _OWN_WORDS) else ""
    return f"{kind}: {text}" if text else kind
