"""Definitions of event types."""


def schemaless(name: str) -> dict[str, object]:
    """One that takes every object."""
    return {
        "name": name,
        "owning_application": "tests",
        "category": "undefined",
        "schema": {"type": "json_schema", "schema": "{}"},
    }
