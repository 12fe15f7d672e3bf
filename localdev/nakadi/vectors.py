"""`python -m localdev.nakadi.vectors FILE`: replays recorded requests against a local Nakadi."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localdev.nakadi.process import NakadiProcess, local_nakadi
from localdev.nakadi.publishing.storing import MESSAGE_MAX_BYTES
from localdev.nakadi.vector import Answer, Vector, body_of, load_vectors, send

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localdev.nakadi.json_value import Json, JsonObject

_READERS = 16
_PARTITIONS_MAX, _PARTITIONS_MAX_RAISED = 8, 1000
_USUAL = {
    "partitions_max": _PARTITIONS_MAX,
    "token_required": False,
    "token_down": False,
    "tokens": {},
}
_PARTITION = re.compile(r'"partition": ?"([0-9]+)"')
# A text that names a Java class is Java's, not Nakadi's.
_JAVA = re.compile(r"\b(?:java|javax|com|org)\.\w+\.|JsonToken|merging values")


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

    Those that read streams wait for them: where they touch an event type of their own, they go
    side by side at the end.
    """
    places = Counter(map(_place, vectors))
    streams = [one for one in vectors if one.kind == "read" and places[_place(one)] == 1]
    for vector in vectors:
        if vector not in streams:
            yield vector, play(vector, nakadi)
    with ThreadPoolExecutor(_READERS) as pool:
        answers = pool.map(lambda vector: play(vector, nakadi), streams)
        yield from zip(streams, answers, strict=True)


def _place(vector: Vector) -> str:
    """Return the first two parts of the path: usually one event type."""
    return "/".join(str(vector.request["path"]).partition("?")[0].split("/")[:3])


def play(vector: Vector, nakadi: NakadiProcess) -> Answer:
    """Bring about a vector's circumstances, send its request, and clean up."""
    settings = _settings(vector)
    if "partitions_max" in settings:
        nakadi.settings(partitions_max=settings["partitions_max"])
    if vector.event_type is not None:
        send(nakadi.url, _creation(vector.event_type))
    for request in vector.setup:
        send(nakadi.url, request)
    down = _partitions_down(vector)
    if down:
        nakadi.add_fault(kind="partial", mode="partition", partitions=down)
    nakadi.settings(**settings)
    try:
        return send(nakadi.url, vector.request)
    finally:
        nakadi.settings(**{name: _USUAL[name] for name in settings})
        if down:
            nakadi.remove_faults()


def _settings(vector: Vector) -> dict[str, object]:
    """Return how the recorded server was set up, as far as its answer tells and it was unusual."""
    settings: dict[str, object] = {}
    named = [int(name) for name in _PARTITION.findall(vector.expected.body)]
    if max(named, default=0) >= _PARTITIONS_MAX:
        settings["partitions_max"] = _PARTITIONS_MAX_RAISED
    if vector.kind == "auth" or "www-authenticate" in vector.expected.headers:
        settings["token_required"] = True
        settings["token_down"] = vector.expected.status == 503
        settings["tokens"] = _tokens(vector)
    return settings


def _tokens(vector: Vector) -> dict[str, str]:
    """Return what the token service said of the request's token, to which the answer was due."""
    headers = vector.request.get("headers")
    value = headers.get("Authorization", "") if isinstance(headers, dict) else ""
    token = str(value).partition(" ")[2]
    if vector.expected.status != 401:
        return {token: "good"}
    return {token: "expired" if _detail(vector.expected) == "invalid_token" else "refused"}


def _partitions_down(vector: Vector) -> list[str]:
    """Return the partitions of which a 207 says that none of their events was stored.

    A request that is too large for the store by itself needs no help.
    """
    items = vector.expected.json()
    if vector.expected.status != 207 or not isinstance(items, list):
        return []
    if len(body_of(vector.request)) > MESSAGE_MAX_BYTES:
        return []
    stored: dict[str, bool] = {}
    for item in items:
        if isinstance(item, dict):
            name = str(item.get("partition"))
            submitted = item.get("publishing_status") == "submitted"
            stored[name] = stored.get(name, False) or submitted
    return [name for name, any_stored in stored.items() if not any_stored]


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
    """Return whether the texts agree too (apart from their order if the real one is random)."""
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
