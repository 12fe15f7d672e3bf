"""The dead letter queue as one worker reaches it."""

from collections.abc import Sequence

from consumer.core.dead_letters.dead_letter import DeadLetter
from tests.simulation.checks.checkers import Checks
from tests.simulation.faults.wire import Wire

LIMIT = 10.0
"""Seconds after which the client gives a request up."""

LETTERS = 10
"""The most that the queue takes in one call."""


class SimQueue:
    """DeadLetterQueue of one worker. `refuses` is how many letters of a call it leaves out."""

    def __init__(self, wire: Wire, checks: Checks, refuses: float) -> None:
        self._wire = wire
        self._checks = checks
        self._refuses = refuses

    async def send(self, letters: Sequence[DeadLetter]) -> Sequence[bool]:
        wire = self._wire
        if len(letters) > LETTERS:
            self._checks.fail("limits", f"{wire.node.name} sends {len(letters)} letters at once")
        if not wire.node.muted:
            self._checks.letters_sent(wire.node.name, letters)
        accepted = [not self._refuses or wire.chance.random() >= self._refuses for _ in letters]

        def effect() -> list[bool]:
            for letter, taken in zip(letters, accepted, strict=True):
                if taken:
                    self._checks.letter_stored(wire.node.name, letter)
            return accepted

        return await wire.call("dead_letters", effect, LIMIT)
