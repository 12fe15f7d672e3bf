"""Keys of which something was refused, one JSON object a line, as `--keys-from` reads them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import json

from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from types import TracebackType

    from msgspec import Raw

    from consumer.core.republish.item_event import Refusal


class RefusedKeys:
    """Writes to the file of `--refused`, behind what is there; to stderr without one.

    It is used as a context. Lines are written as they come, and stay if the command is ended.
    """

    def __init__(self, path: str | None) -> None:
        """Open the file. Raise Misconfigured if it cannot be written."""
        self._file = None
        if path is not None:
            try:
                self._file = Path(path).open("ab", buffering=0)  # noqa: SIM115 - closed at exit
            except OSError as error:
                reason = error.strerror or "unwritable"
                raise Misconfigured(
                    f"--refused: found {path!r} ({reason}), wanted a file that can be written"
                ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, keys: Raw, refusal: Refusal) -> None:
        """Write a line."""
        line = json.encode(
            {
                "key": keys,
                "reason": refusal.reason,
                "event_type": refusal.event_type,
                "detail": refusal.detail,
            }
        )
        if self._file is not None:
            self._file.write(line + b"\n")
        else:
            sys.stderr.write(f"{line.decode()}\n")
