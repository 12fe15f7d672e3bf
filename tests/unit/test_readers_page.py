"""docs/readers.md: what it shows in code does what it says."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from tests.reference.histories import KEY, START, Life, Weaver
from tests.reference.reader import TOMBSTONE_SECONDS, Event, Item, Reader, said_by

PAGE = (Path(__file__).parents[2] / "docs" / "readers.md").read_text()
LIVES = 400
MAKES = (Weaver.ordinary, Weaver.late, Weaver.swept_meanwhile)


def block(language: str) -> str:
    """The one block of code in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


class OfThePage(Reader):
    """The class of the page, asked as the reference reader is."""

    def __init__(self) -> None:
        super().__init__(("id",))
        names: dict[str, Any] = {}
        exec(block("python"), names)  # noqa: S102 - it is a page of the repository
        self._shown = names["Reader"]()
        assert names["TOMBSTONE_SECONDS"] == TOMBSTONE_SECONDS

    @property
    def items(self) -> dict[tuple[Any, ...], Item]:
        kept = self._shown.kept.items()
        return {(key,): item for key, (_, item, _) in kept if item is not None}

    def take(self, event: Event, now: float) -> None:
        self._shown.take(event, now)

    def forget(self, now: float) -> None:
        self._shown.forget(now)


class OfADatabase(Reader):
    """The statement of the page. Tombstones of such short histories need not be forgotten."""

    def __init__(self) -> None:
        super().__init__(("id",))
        self._rows = sqlite3.connect(":memory:")
        columns = "id PRIMARY KEY, stream, sequence, item, heard"
        self._rows.execute(f"CREATE TABLE orders ({columns})")

    @property
    def items(self) -> dict[tuple[Any, ...], Item]:
        rows = self._rows.execute("SELECT id, item FROM orders WHERE item IS NOT NULL")
        return {(key,): orjson.loads(item) for key, item in rows}

    def take(self, event: Event, now: float) -> None:
        said = said_by(event, ("id",))
        item = None if said.item is None else orjson.dumps(said.item).decode()
        stream, sequence = said.place
        told = {"id": said.key[0], "stream": stream, "sequence": sequence}
        self._rows.execute(block("sql"), {**told, "item": item, "now": now})

    def forget(self, now: float) -> None:
        pass


class Labelling(Weaver):
    """No worker of the version before is there."""

    def _upgrade(self, life: Life) -> list[float]:
        return []


@pytest.mark.parametrize("make", MAKES)
def test_the_reader_of_the_page_ends_with_the_table(make: Callable[[Weaver], Life]) -> None:
    for seed in range(LIVES):
        life = make(Weaver(Random(seed)))
        life.sweeps = None
        assert life.read_by(OfThePage()) == life.item, seed


@pytest.mark.parametrize("make", MAKES)
def test_the_statement_of_the_page_ends_with_the_table(make: Callable[[Weaver], Life]) -> None:
    for seed in range(LIVES // 4):
        life = make(Labelling(Random(seed)))
        life.sweeps = None
        assert life.read_by(OfADatabase()) == life.item, seed


def test_the_reader_of_the_page_keeps_tombstones_as_long_as_it_says() -> None:
    taker = OfThePage()
    change = {"stream": "b", "sequence": "1".zfill(40)}
    deleted = {"data_op": "D", "data": {"id": KEY[0], "change": change}}
    taker.take(deleted, START)
    taker.forget(START + TOMBSTONE_SECONDS - 1.0)
    assert taker._shown.kept.keys() == {KEY[0]}
    taker.forget(START + TOMBSTONE_SECONDS)
    assert taker._shown.kept == {}
