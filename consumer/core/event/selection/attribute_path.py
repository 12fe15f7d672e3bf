"""Paths to attributes, as `include`, `exclude` and `changed` name them."""

from __future__ import annotations

from msgspec import Struct


class BadPath(ValueError):
    """No attribute can be at such a path; the text says why, and what is wanted."""


class AttributePath(Struct, frozen=True, order=True):
    """A path into an item: the name of an attribute, then the names of members of its maps.

    It goes through lists: the path `lines`, `card` is the member `card` of every element of the
    list `lines`, however deep that list is nested in others.
    """

    names: tuple[str, ...]

    def __str__(self) -> str:
        if any("." in name or not name for name in self.names) or self.names[0].startswith("/"):
            escaped = (name.replace("~", "~0").replace("/", "~1") for name in self.names)
            return "".join(f"/{name}" for name in escaped)
        return ".".join(self.names)


def read_path(text: str) -> AttributePath:
    """Return the path that a text names. Raise BadPath.

    Names are separated by dots (`customer.iban`). A text that begins with a slash is a JSON Pointer
    (RFC 6901), for names that have a dot: `/a.b` is the one attribute `a.b`.
    """
    if text.startswith("/"):
        names = text[1:].split("/")
        if any("~" in name.replace("~0", "").replace("~1", "") for name in names):
            raise BadPath(f"{text!r} is no JSON Pointer: ~ stands only before 0 or 1")
        names = [name.replace("~1", "/").replace("~0", "~") for name in names]
    else:
        names = text.split(".")
        if not all(names):
            raise BadPath(f"{text!r} has an empty name; a name with a dot is written /a.b")
    if not names[0]:
        raise BadPath(f"{text!r} names no attribute")
    return AttributePath(tuple(names))
