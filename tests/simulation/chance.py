"""Randomness: one seed, many named streams, so that one more draw here shifts nothing there."""

from random import Random


class Streams:
    """`of(name)` is the same generator for the same seed and name, whatever else is drawn."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def of(self, *name: object) -> Random:
        return Random("/".join(map(str, (self.seed, *name))))  # text seeds do not depend on hash()
