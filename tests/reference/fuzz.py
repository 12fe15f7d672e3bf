"""Random items, in shapes that repeat: `python -m tests.reference.fuzz --records 1000000`.

What an image makes of them, with a memory that is warm, is compared with the walk, which remembers
nothing. Names and texts are of the marks that JSON is written with. Some items have been touched.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Raw

from consumer.core.event.attribute import decode_item, decode_members, plain_item
from consumer.core.event.event import TOUCH_ATTRIBUTE
from consumer.core.event.items.image import read_image
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.malformed import MalformedItem, ReservedAttribute
from consumer.core.event.patch import diff
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.event.selection.selector import Selector, members_text
from tests.reference.records import Json

T = TypeVar("T")

MARKS = [
    "a",
    "b",
    '"',
    "\\",
    "}",
    "{",
    "]",
    "[",
    ",",
    ":",
    "S",
    "M",
    "L",
    "\n",
    "é",
    "\0",
    "/",
    "~",
]
NAMES = ["a", "b", "c", "id", "status", "m", "l", "S", "M", "L", "N", "BOOL", "x y", "é"]
SELECTIONS = (
    None,
    Selection(exclude=(read_path("b"), read_path("m.a"), read_path("l.a"))),
    Selection(include=(read_path("a"), read_path("m.b"), read_path("l"))),
    Selection(rename=(("a", "other"),)),
)
SHAPES = 40
DEEPEST = 4
PROGRESS = 50_000


class Difference(AssertionError):
    """The fast way and the walk differ."""


class Fuzz:
    """Makes random changes of items, most of which are of a few shapes, and compares."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._shapes = Shapes(look=1, enough=1, window=4, rest=0)
        self._items = [self._item() for _ in range(SHAPES)]
        self.known = 0  # images whose shape was known
        self.compared = 0  # of them those that had this shape before, too

    def compare(self, number: int) -> None:
        """Make a change and compare what becomes of it. Raise Difference."""
        chance = self._chance
        if number % 2_000 == 0:
            self._items[chance.randrange(SHAPES)] = self._item()
        base = self._items[number // 50 % SHAPES] if chance.random() < 0.5 else self._any_item()
        old = {name: self._rescaled(value) for name, value in base.items()}
        new = {name: self._rescaled(value) for name, value in old.items()}
        if chance.random() < 0.1:
            new[self._name()] = self._value()
        for image in (old, new):
            if chance.random() < 0.1:
                image[TOUCH_ATTRIBUTE] = self._value()
        before, after = self._spelled(old), self._spelled(new)
        selection = SELECTIONS[number % len(SELECTIONS)]
        limit = chance.choice((1_000_000, 60))
        fast = _outcome(lambda: self._fast(before, after, selection, limit))
        slow = _outcome(lambda: _walked(before, after, selection, limit))
        if fast != slow:
            raise Difference(f"{selection}\n{before!r}\n{after!r}\n{fast!r}\n{slow!r}")

    def _fast(
        self, before: bytes, after: bytes, selection: Selection | None, limit: int
    ) -> tuple[bytes, list[bytes] | None]:
        shapes = self._shapes.of(selection, TOUCH_ATTRIBUTE)
        new = read_image(Raw(after), shapes, Raw(before))
        if new is None:
            raise MalformedItem("it is empty")
        _ = new.names  # raises if it cannot be said what is shown
        self.known += new.shape is not None
        self.compared += new.before is not None
        return new.members(), new.patch_since(Raw(before), limit)

    def _any_item(self) -> Json:
        few = self._chance.random() < 0.9
        return self._chance.choice(self._items) if few else self._item()

    def _item(self) -> Json:
        return {self._name(): self._value() for _ in range(self._chance.randrange(1, 8))}

    def _name(self) -> str:
        usual = self._chance.random() < 0.97
        return self._chance.choice(NAMES) if usual else self._text(5) or "z"

    def _text(self, most: int) -> str:
        return "".join(self._chance.choice(MARKS) for _ in range(self._chance.randrange(most)))

    def _number(self) -> str:
        chance = self._chance
        safe, long = str(chance.randrange(10**18)), "9" * chance.randrange(17, 40)
        return chance.choice(["0", "-1", "1.50", "-0", "1E+2", "0.001", safe, long])

    def _value(self, depth: int = 0) -> Json:
        chance, inside = self._chance, range(self._chance.randrange(4))
        match chance.randrange(14 if depth < DEEPEST else 9):
            case 0 | 1 | 2:
                return {"S": chance.choice(["OPEN", "PAID", self._text(12), self._text(40)])}
            case 3 | 4:
                return {"N": self._number()}
            case 5:
                return {"BOOL": chance.random() < 0.5}
            case 6:
                return chance.choice([{"NULL": True}, {"B": "QUJD"}, {"BS": ["QQ=="]}])
            case 7:
                return {"SS": sorted({self._text(6) for _ in (0, *inside)})}
            case 8:
                return {"NS": sorted({self._number() for _ in (0, *inside)})}
            case 9 | 10 | 11:
                return {"M": {self._name(): self._value(depth + 1) for _ in inside}}
            case _:
                return {"L": [self._value(depth + 1) for _ in inside]}

    def _rescaled(self, value: Json) -> Json:
        """Other scalars, mostly of the same types."""
        chance = self._chance
        if chance.random() < 0.02:
            return self._value(2)
        ((kind, found),) = value.items()
        match kind:
            case "S":
                return {"S": chance.choice([found, "OPEN", "PAID", self._text(12)])}
            case "N":
                return {"N": chance.choice([found, self._number()])}
            case "BOOL":
                return {"BOOL": chance.random() < 0.5}
            case "M":
                return {"M": {name: self._rescaled(each) for name, each in found.items()}}
            case "L":
                return {"L": [self._rescaled(each) for each in found]}
            case _:
                return value

    def _spelled(self, item: Json) -> bytes:
        """The JSON of an item, now and then with white space or another type."""
        chance = self._chance
        text = json.dumps(item, separators=(",", ":"), ensure_ascii=chance.random() < 0.1)
        if chance.random() < 0.01:
            text = json.dumps(item, ensure_ascii=False)
        if chance.random() < 0.01:
            text = text.replace('{"S":"', '{"X":"', 1)
        return text.encode()


def _walked(
    before: bytes, after: bytes, selection: Selection | None, limit: int
) -> tuple[bytes, list[bytes] | None]:
    old, new = (dict(decode_members(Raw(text))) for text in (before, after))
    for image in (old, new):
        image.pop(TOUCH_ATTRIBUTE, None)
    if selection is not None:
        selector = Selector(selection)
        old, new = selector.shown(old), selector.shown(new)
    members = b",".join(plain_item(decode_item(Raw(members_text(new)))))
    return members, diff(old, new, limit)


def _outcome(made: Callable[[], T]) -> T | str:
    try:
        return made()
    except (MalformedItem, ReservedAttribute):
        return "it cannot be made"


def main(arguments: Sequence[str]) -> int:
    """Compare the number of changes that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.reference.fuzz", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    fuzz = Fuzz(asked.seed)
    for number in range(asked.records):
        fuzz.compare(number)
        if number and number % PROGRESS == 0:
            print(f"{number:,} records, the shape of {fuzz.known:,} was known", flush=True)
    print(
        f"{asked.records:,} records, the shape of {fuzz.known:,} was known, "
        f"{fuzz.compared:,} had it before, too: no difference"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
