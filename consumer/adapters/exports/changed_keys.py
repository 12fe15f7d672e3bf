"""The distinct keys of exports, each with its newest image, in a temporary file.

A window may hold millions of keys, so they are kept on disk: SQLite sorts them and keeps one of
each. Nothing is kept after the end.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Final, Self

from msgspec import Raw

from consumer.core.repair.exported_change import ExportedChange
from consumer.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

BATCH_BYTES: Final = 16 * 1024 * 1024
"""About as many bytes of images are in memory at a time."""

_TABLE = "CREATE TABLE keys (key BLOB PRIMARY KEY, keys BLOB, at INTEGER, image BLOB) WITHOUT ROWID"
_ADD = (
    "INSERT INTO keys VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE"
    " SET keys = excluded.keys, at = excluded.at, image = excluded.image WHERE excluded.at >= at"
)
_NEXT = "SELECT key, keys, at, image FROM keys WHERE key > ? ORDER BY key LIMIT ?"


class ChangedKeys:
    """A context: the file is made when it is entered, and removed when it is left."""

    def __enter__(self) -> Self:
        number, path = mkstemp(prefix="consumer-repair-")
        os.close(number)
        self._database = sqlite3.connect(path, isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute(_TABLE)
        Path(path).unlink()  # it is open: its space is given back even after a kill
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def add(self, changes: Iterable[ExportedChange]) -> None:
        """Keep these changes, of each key the newest. Raise Unreachable on a full disk."""
        rows = (
            (each.key, bytes(each.keys), each.written_at, each.image and bytes(each.image))
            for each in changes
        )
        try:
            self._database.execute("BEGIN")
            self._database.executemany(_ADD, rows)
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unreachable(f"temporary file of the changed keys: {error}") from error

    def count(self) -> int:
        """Return how many keys there are."""
        [(number,)] = self._database.execute("SELECT count(*) FROM keys")
        return int(number)

    def following(self, key: bytes, limit: int) -> Sequence[ExportedChange]:
        """Return the next keys behind one, in their order; `b""` is before the first.

        There are at most `limit`, or fewer whose images have BATCH_BYTES.
        """
        found: list[ExportedChange] = []
        size = 0
        for next_key, keys, at, image in self._database.execute(_NEXT, (key, limit)):
            size += len(image or b"")
            newest = None if image is None else Raw(image)
            found.append(ExportedChange(next_key, Raw(keys), at, newest))
            if size > BATCH_BYTES:
                break
        return found
