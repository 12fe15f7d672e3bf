"""Regular expressions as the server's RE2 reads them, in Python's terms."""

from __future__ import annotations

import re
from functools import lru_cache

_PATTERNS_REMEMBERED = 1024
# RE2 has neither look-around nor back-references.
_LOOK_AROUND = re.compile(r"\(\?(?:[=!]|<[=!])")
_BACK_REFERENCE = re.compile(r"\\[1-9]")
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
_WORDS = (
    ("missing )", "missing closing )"),
    ("unterminated character set", "missing closing ]"),
    ("nothing to repeat", "missing argument to repetition operator"),
    ("bad escape", "invalid escape sequence"),
    ("bad character range", "invalid character class range"),
)


@lru_cache(maxsize=_PATTERNS_REMEMBERED)
def compile_re2(pattern: str) -> re.Pattern[str]:
    """Compile a pattern; classes are ASCII, and `$` is the very end.

    Raise ValueError with RE2's words and the part of the pattern that it means.
    """
    if found := _LOOK_AROUND.search(pattern):
        raise ValueError(f'invalid or unsupported Perl syntax "{found.group()}"')
    if found := _BACK_REFERENCE.search(pattern):
        raise ValueError(f'invalid escape sequence "{found.group()}"')
    try:
        return re.compile(_PIECE.sub(_python_piece, pattern), re.ASCII)
    except re.error as error:
        words = next((said for start, said in _WORDS if error.msg.startswith(start)), error.msg)
        raise ValueError(f'{words} "{pattern}"') from None


def _python_piece(match: re.Match[str]) -> str:
    piece = match.group()
    return r"\Z" if piece in ("$", r"\z") else piece
