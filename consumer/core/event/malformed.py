"""The error for data that does not have the form that DynamoDB documents."""


class MalformedItem(ValueError):
    """A part of a stream record of which no event can be made.

    Its text says what is wrong and where. It has attribute names, never attribute values.
    """
