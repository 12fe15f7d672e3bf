"""`python -m localdev.nakadi.vectors FILE`: replays recorded requests against a local Nakadi."""

from __future__ import annotations

import argparse
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localdev.nakadi.process import NakadiProcess, local_nakadi
from localdev.nakadi.vector import Answer, Vector, load_vectors, send

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localdev.nakadi.json_value import Json, JsonObject

_READERS = 16
_PARTITIONS_MAX, _PARTITIONS_MAX_RAISED = 8, 12
_MESSAGE_LIMIT = re.compile(r"messages over (\d+) bytes")
# A text that names a Java class is Java's, not Nakadi's.
_JAVA = re.compile(r"\b(?:java|javax|com|org)\.\w+\.|JsonToken|merging values")
_BEARER = re.compile(r"bearer (([a-z]+)\d*)", re.IGNORECASE)
# What the token service says of the recorded tokens, which are numbered.
_TOKENS = {"good": "good", "bad": "refused", "unauth": "expired", "slow": "slow"}


@dataclass(frozen=True, slots=True)
class Difference:
    """What an answer should have been and what it was."""

    vector: Vector
    what: str
    expected: object
    found: object

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.vector.name}: {self.what} {self.expected!r}, found {self.found!r}"


def replay(vectors: Sequence[Vector], nakadi: NakadiProcess) -> Iterator[tuple[Vector, Answer]]:
    """Send all vectors in the order of the file, and yield each with the answer it got.

    Those that read streams wait for them and touch only event types of their own: they go side
    by side at the end.
    """
    streams = [vector for vector in vectors if vector.kind == "read"]
    for vector in vectors:
        if vector.kind != "read":
            yield vector, play(vector, nakadi)
    with ThreadPoolExecutor(_READERS) as pool:
        answers = pool.map(lambda vector: play(vector, nakadi), streams)
        yield from zip(streams, answers, strict=True)


def play(vector: Vector, nakadi: NakadiProcess) -> Answer:
    """Bring about a vector's circumstances, send its request, and clean up."""
    raised = "higher partition limit" in vector.name
    if raised:
        nakadi.settings(partitions_max=_PARTITIONS_MAX_RAISED)
    if vector.event_type is not None:
        send(nakadi.url, _creation(vector.event_type))
    for request in vector.setup:
        send(nakadi.url, request)
    limit = _MESSAGE_LIMIT.search(vector.name)
    if limit:
        nakadi.add_fault(kind="partial", mode="bytes", limit=int(limit.group(1)))
    if vector.kind == "auth":
        down = "tokeninfo down" in vector.name
        nakadi.settings(token_required=True, token_down=down, tokens=_tokens(vector.request))
    try:
        return send(nakadi.url, vector.request)
    finally:
        if vector.kind == "auth":
            nakadi.settings(token_required=False, token_down=False, tokens={})
        if limit:
            nakadi.remove_faults()
        if raised:
            nakadi.settings(partitions_max=_PARTITIONS_MAX)


def _tokens(request: JsonObject) -> dict[str, str]:
    """Return the state of a request's token; that of one which it does not name does not matter."""
    headers = request.get("headers")
    value = headers.get("Authorization", "") if isinstance(headers, dict) else ""
    match = _BEARER.fullmatch(str(value))
    if match is None:
        return {"good1": "good"}
    return {match.group(1): _TOKENS.get(match.group(2).lower(), "refused")}


def _creation(definition: JsonObject) -> JsonObject:
    return {
        "method": "POST",
        "path": "/event-types",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(definition),
    }


def compare(vector: Vector, found: Answer) -> Iterator[Difference]:
    """Yield the first difference that counts for the kind of vector, if there is one."""
    expected = vector.expected
    if expected.status != found.status:
        yield Difference(vector, "status", expected.status, (found.status, found.body[:200]))
    elif vector.kind == "event-types":
        yield from _compare_documents(vector, found)
    elif vector.kind == "read" and expected.status == 200:
        yield from _compare_lines(vector, found)
    elif _items(expected) != _items(found):
        yield Difference(vector, "items", _items(expected), _items(found))


def _items(answer: Answer) -> list[tuple[Json, ...]] | None:
    """Return what matters of each item, None if the body holds no items."""
    body = answer.json()
    if not isinstance(body, list):
        return None
    names = ("publishing_status", "step", "eid", "partition")
    return [tuple(item.get(name) for name in names) for item in body if isinstance(item, dict)]


def same_detail(vector: Vector, found: Answer) -> bool:
    """Whether the texts agree as well (order apart where the real server's order is random)."""
    expected_text, found_text = _detail(vector.expected), _detail(found)
    if _JAVA.search(expected_text):
        return True
    if "body order of lines in /detail" in vector.volatile:
        return sorted(expected_text.splitlines()) == sorted(found_text.splitlines())
    return expected_text == found_text


def _detail(answer: Answer) -> str:
    body = answer.json()
    if isinstance(body, list):
        return "\n".join(str(item.get("detail")) for item in body if isinstance(item, dict))
    return str(body.get("detail", "")) if isinstance(body, dict) else ""


def _compare_documents(vector: Vector, found: Answer) -> Iterator[Difference]:
    if vector.expected.status >= 400:
        if not same_detail(vector, found):
            yield Difference(vector, "detail", _detail(vector.expected), _detail(found))
        return
    expected_body = _stable(vector, vector.expected.json(), "body.")
    found_body = _stable(vector, found.json(), "body.")
    if expected_body != found_body:
        yield Difference(vector, "body", expected_body, found_body)


def _compare_lines(vector: Vector, found: Answer) -> Iterator[Difference]:
    if vector.expected.json() is None and not vector.expected.body.startswith("{"):
        if vector.expected.body != found.body:
            yield Difference(vector, "body", vector.expected.body, found.body)
        return
    try:
        found_lines = _lines(vector, found)
    except ValueError:
        yield Difference(vector, "body", vector.expected.body, found.body)
        return
    expected_lines = _lines(vector, vector.expected)
    if "body order" in vector.volatile:
        expected_lines, found_lines = (
            sorted(expected_lines),
            sorted(found_lines),
        )
    if expected_lines != found_lines:
        yield Difference(vector, "lines", expected_lines, found_lines)


def _lines(vector: Vector, answer: Answer) -> list[str]:
    return [
        json.dumps(_stable(vector, line, f"body.line {at}:"))
        for at, line in enumerate(answer.lines())
    ]


def _stable(vector: Vector, value: Json, prefix: str, pointer: str = "") -> Json:
    """Return a value without its volatile parts."""
    if prefix + pointer in vector.volatile:
        return "…"
    match value:
        case dict():
            return {
                name: _stable(vector, member, prefix, f"{pointer}/{name}")
                for name, member in value.items()
            }
        case list():
            return [
                _stable(vector, member, prefix, f"{pointer}/{at}")
                for at, member in enumerate(value)
            ]
        case _:
            return value


def main() -> None:
    """Replay one file and print differences, then matched and total."""
    parser = argparse.ArgumentParser(prog="localdev.nakadi.vectors", description=__doc__)
    parser.add_argument("file", type=Path, help="JSON list of recorded requests and answers")
    file = parser.parse_args().file
    if not file.is_file():
        parser.error(f"there is no file {file}")
    vectors = load_vectors(file)
    with local_nakadi(options=("--storage-wait", "0")) as nakadi:
        differences = [
            difference
            for vector, answer in replay(vectors, nakadi)
            for difference in compare(vector, answer)
        ]
    for difference in differences:
        print(difference)
    for kind in dict.fromkeys(vector.kind for vector in vectors):
        total = sum(vector.kind == kind for vector in vectors)
        missed = sum(difference.vector.kind == kind for difference in differences)
        print(f"{kind}: {total - missed} of {total}")
    print(f"{len(vectors) - len(differences)} of {len(vectors)} matched")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
