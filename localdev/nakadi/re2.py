"""Regular expressions as the server's RE2 reads them, in Python's terms."""

from __future__ import annotations

import re
from functools import lru_cache

_PATTERNS_REMEMBERED = 1024
# RE2 has neither look-around nor back-references.
_UNSUPPORTED = re.compile(r"\(\?(?:[=!]|<[=!])|\\[1-9]")
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


@lru_cache(maxsize=_PATTERNS_REMEMBERED)
def compile_re2(pattern: str) -> re.Pattern[str]:
    """Compile a pattern; classes are ASCII, and `$` is the very end; raises ValueError."""
    if _UNSUPPORTED.search(pattern):
        raise ValueError("invalid or unsupported Perl syntax")
    try:
        return re.compile(_PIECE.sub(_python_piece, pattern), re.ASCII)
    except re.error as error:
        missing = error.msg.startswith("missing )")
        raise ValueError("missing closing )" if missing else error.msg) from None


def _python_piece(match: re.Match[str]) -> str:
    piece = match.group()
    return r"\Z" if piece in ("$", r"\z") else piece
