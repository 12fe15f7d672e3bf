"""The errors for data of which no event can be made."""


class MalformedItem(ValueError):
    """A part of a stream record of which no event can be made.

    It does not have the form that DynamoDB documents, or not the one that the event needs. Its text
    says what is wrong and where. It has attribute names, never attribute values.
    """


class ReservedAttribute(MalformedItem):
    """An attribute has a name that the event has for another attribute or member."""
