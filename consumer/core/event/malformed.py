"""What does not have the shape that DynamoDB documents."""


class MalformedItem(ValueError):
    """A part of a stream record that no event can be built from.

    `str()` of it says what is wrong and where: attribute names, never their values.
    """
