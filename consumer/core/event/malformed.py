"""The errors for data of which no event can be made."""

from collections.abc import Collection, Iterable


class MalformedItem(ValueError):
    """A part of a stream record of which no event can be made.

    It does not have the form that DynamoDB documents, or not the one that the event needs. Its text
    says what is wrong and where. It has attribute names, never attribute values.
    """


class ReservedAttribute(MalformedItem):
    """An attribute has a name that the event has for another attribute or member."""


def check_names(names: Collection[str], reserved: Iterable[str]) -> None:
    """Raise ReservedAttribute if a name is taken that the event needs itself."""
    for name in reserved:
        if name in names:
            raise ReservedAttribute(f"attribute {name!r}: the event itself needs this name")
