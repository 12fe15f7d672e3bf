"""Puts a fault into the code."""


def plant(place: object, name: str, fault: object) -> None:
    """Replace what a module or a class calls `name`. AttributeError: there is no such thing."""
    getattr(place, name)
    setattr(place, name, fault)
