"""Shapes that are learned at once, so that a test sees what is made with them and without."""

from consumer.core.event.items.shapes import Shapes


def eager_shapes() -> Shapes:
    """Return shapes that are known for the second item that has them."""
    return Shapes(look=1, enough=1, window=1, rest=0)
