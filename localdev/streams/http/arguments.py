"""The members of a request, taken out with the checks that the service makes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar, cast

import orjson

from localdev.streams.errors import ErrorCode, ServiceError, invalid
from localdev.streams.model.attribute import Attributes, AttributeValue

Choice = TypeVar("Choice", bound=StrEnum)

_SEQUENCE_NUMBER = re.compile(r"[0-9]{21,40}", re.ASCII)  # AWS: GetShardIterator


@dataclass(frozen=True, slots=True)
class Arguments:
    """A JSON object. Every method raises ServiceError (validation) for what does not fit."""

    members: dict[str, object]

    @classmethod
    def parse(cls, body: bytes) -> "Arguments":
        """Return the members of a request's body. Raise ServiceError (serialization)."""
        try:
            members = orjson.loads(body)
        except orjson.JSONDecodeError:
            members = None
        if not isinstance(members, dict):
            raise ServiceError(ErrorCode.SERIALIZATION, "The body is no JSON object")
        return cls(members)

    def only(self, *names: str) -> None:
        """Refuse members that would be ignored, rather than do something else than was asked."""
        if unknown := sorted(self.members.keys() - set(names)):
            raise invalid(f"Not supported by this local server: {', '.join(unknown)}")

    def optional_text(self, name: str) -> str | None:
        """Return a string, None if absent."""
        value = self.members.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid(f"{name} must be a string")
        return value

    def text(self, name: str) -> str:
        """Return a string that must be there."""
        return self._present(name, self.optional_text(name))

    def limit(self, name: str, most: int) -> int:
        """Return an integer from 1 to `most`; `most` if absent."""
        value = self.members.get(name)
        if value is None:
            return most
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise invalid(f"{name} must be an integer from 1 to {most}")
        return value

    def sequence_number(self, name: str) -> int | None:
        """Return a sequence number, None if absent."""
        text = self.optional_text(name)
        if text is None:
            return None
        if not _SEQUENCE_NUMBER.fullmatch(text):
            raise invalid(f"Invalid {name}: it has 21 to 40 digits")
        return int(text)

    def choice(self, name: str, kind: Callable[[str], Choice]) -> Choice:
        """Return one of an enumeration's values."""
        text = self.text(name)
        try:
            return kind(text)
        except ValueError:
            raise invalid(f"{name} must not be {text}") from None

    def has(self, name: str) -> bool:
        """Return whether the member is there."""
        return self.members.get(name) is not None

    def flag(self, name: str, *, default: bool | None = False) -> bool:
        """Return a boolean; without a default it must be there."""
        value = self.members.get(name, default)
        if not isinstance(value, bool):
            raise invalid(f"{name} must be true or false")
        return value

    def seconds(self, name: str, default: float) -> float:
        """Return a span of time."""
        value = self.members.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise invalid(f"{name} must be seconds")
        return float(value)

    def optional_inner(self, name: str) -> "Arguments | None":
        """Return an object's members, None if absent."""
        value = self.members.get(name)
        if value is not None and not isinstance(value, dict):
            raise invalid(f"{name} must be an object")
        return None if value is None else Arguments(value)

    def inner(self, name: str) -> "Arguments":
        """Return the members of an object that must be there."""
        return self._present(name, self.optional_inner(name))

    def each(self, name: str) -> list["Arguments"]:
        """Return the members of each object in a list that must be there."""
        value = self._present(name, self.members.get(name))
        if not isinstance(value, list) or not all(isinstance(element, dict) for element in value):
            raise invalid(f"{name} must be a list of objects")
        return [Arguments(element) for element in value]

    def attributes(self, name: str) -> Attributes:
        """Return an item or a key; its values are looked into when it is stored."""
        return cast("Attributes", self.inner(name).members)

    def values(self, name: str) -> dict[str, AttributeValue]:
        """Return attribute values by placeholder; none if absent."""
        inner = self.optional_inner(name)
        return {} if inner is None else cast("dict[str, AttributeValue]", inner.members)

    def _present(self, name: str, value: "Present | None") -> "Present":
        if value is None:
            raise invalid(f"The parameter '{name}' is required but was not present in the request")
        return value


Present = TypeVar("Present")
