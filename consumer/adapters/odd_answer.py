"""Answers that have not the documented form: what reading one raises, and what that means.

A peer on the wire may say anything: JSON of other types, members that are missing, text that is not
UTF-8, arrays nested deeper than the interpreter can follow. Such an answer proves nothing, so the
call counts as failed, and the caller decides whether it is repeated.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from consumer.errors import Retryable

if TYPE_CHECKING:
    from collections.abc import Iterator

ODD: Final = (
    ArithmeticError,  # a number or a time that is out of range
    AttributeError,
    LookupError,
    RuntimeError,  # nested too deeply
    TypeError,
    ValueError,  # text that is not UTF-8, too
)
"""Everything that code raises when it reads an answer of another form than the documented one."""


@contextmanager
def reading(call: str) -> Iterator[None]:
    """Raise Retryable if the block cannot read the answer to `call`.

    The message names the kind of the error only: its text may quote the answer.
    """
    try:
        yield
    except ODD as error:
        raise Retryable(f"{call}: {unreadable(error)}", "malformed_answer") from error


def unreadable(error: Exception) -> str:
    """Return a line for a person about an answer of another form than the documented one."""
    return f"an answer that cannot be read ({type(error).__name__})"
