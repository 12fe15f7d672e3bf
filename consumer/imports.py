"""Imports of what stays as long as the process, without a search for garbage."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def kept() -> Iterator[None]:
    """Do not look for garbage while the block imports, and never in what is there at its end.

    What is imported stays. To look through it again and again while it grows is a tenth of the
    time of a start, and later most of the time of every full search.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
