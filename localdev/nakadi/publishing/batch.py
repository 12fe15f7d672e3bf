"""Cuts a request's body into events: the array is read leniently, the events strictly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localdev.nakadi.http.problem import ProblemError, internal_error
from localdev.nakadi.java import java_text
from localdev.nakadi.strict_json import EMPTY, StrictJsonError, double, integer, parse_object

if TYPE_CHECKING:
    from localdev.nakadi.json_value import Json, JsonObject

_PREFIX = "Error occurred when parsing event(s). "
# A UTF-16 code unit takes at most three bytes in UTF-8, a Python character at most four.
_BYTES_PER_CHARACTER = 4


@dataclass(frozen=True, slots=True)
class Event:
    """One event as sent: its exact text, its value, and its `metadata.eid` ("" if absent)."""

    text: str
    value: JsonObject
    eid: str

    def exceeds(self, limit: int) -> bool:
        """Return whether the raw UTF-8 text, white space included, has more than `limit` bytes."""
        return len(self.text) * _BYTES_PER_CHARACTER > limit and self.size() > limit

    def size(self) -> int:
        """Return the bytes of the raw text in UTF-8."""
        return len(self.text.encode(errors="surrogatepass"))


def parse_batch(body: str) -> list[Event]:
    """Return the events of a body, or raise the 400 that concerns the whole request."""
    try:
        return _events(body)
    except StrictJsonError as error:
        raise ProblemError(400, _PREFIX + str(error)) from None
    except RecursionError:
        raise internal_error() from None


def _events(body: str) -> list[Event]:
    start = len(body) - len(body.lstrip(EMPTY))
    if start == len(body):  # the server looks for the bracket beyond the end
        raise internal_error()
    if not body.startswith("[", start):
        raise StrictJsonError(f"Array of events should start with [ at position {start}")
    end = max(len(body.rstrip(EMPTY)) - 1, start)
    if body[end] != "]" or end == start:
        raise StrictJsonError(f"Array of events should end with ] at position {end}")
    events: list[Event] = []
    at = start + 1
    while at < end:
        character = body[at]
        if character == "{":
            event, at = _event(body, at, end)
            events.append(event)
        elif character == "," or character in EMPTY:
            at += 1
        else:
            raise StrictJsonError(f"Illegal character at position {at}")
    return events


def _event(body: str, start: int, end: int) -> tuple[Event, int]:
    """Read the event at `start`; returns it and the position behind it."""
    try:
        value, behind = _fast.raw_decode(body, start)
        text = body[start:behind]
    except ValueError:
        behind = _object_end(body, start, end) + 1
        text = body[start:behind]
        value = parse_object(text)
    return Event(text, value, _eid(value)), behind


def _object_end(body: str, start: int, end: int) -> int:
    """Return where braces outside strings balance, or `end`."""
    depth, quoted, escaped = 0, False, False
    for at in range(start, end):
        character = body[at]
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif not quoted and character == "{":
            depth += 1
        elif not quoted and character == "}":
            depth -= 1
            if depth == 0:
                return at
    return end


def _eid(event: JsonObject) -> str:
    metadata = event.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("eid") is None:
        return ""
    return java_text(metadata["eid"])


def _distinct(pairs: list[tuple[str, Json]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


def _refuse(constant: str) -> Json:
    raise ValueError(constant)


_fast = json.JSONDecoder(
    object_pairs_hook=_distinct,
    parse_int=integer,
    parse_float=double,
    parse_constant=_refuse,
)
