"""A cluster whose workers have the routes of the shop, its writer, and its judge."""

import base64
import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from localdev.workload.aws_client import aws_client
from tests.integration.cluster import TABLE, Cluster, cluster, definition
from tests.integration.shop_model import (
    EVENT_TYPES,
    MARK,
    MARKED_BYTES,
    ROUTES,
    Model,
    Told,
    customer,
    line,
    lock,
    order,
)

_STATUSES = ("DRAFT", "NEW", "NEW", "PAID", "SHIPPED", "ARCHIVED", "ARCHIVED")
_COUNTRIES = ("DE", "DE", "FI")
Place = tuple[str, int]
"""A key and a sequence number."""


@dataclass
class Log:
    """The events of one event type: what was told first of each key, and what came again."""

    told: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    repeated: list[Place] = field(default_factory=list)
    overtaken: list[Place] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)  # eids that came with another text


class Shop:
    """Writes every kind of item, again and again, in the order of `Model`.

    Orders, lines and customers are 30 % each of the changes, locks the rest. In the background
    `at_a_time` keys of each kind change, then there is a pause.
    """

    def __init__(
        self, cluster: Cluster, keys: int = 12, at_a_time: int = 12, pause: float = 0.05
    ) -> None:
        self.cluster = cluster
        self.model = Model()
        self._steps = [0] * keys
        self._at_a_time = at_a_time
        self._pause = pause
        self._next = 0
        self._letters: list[str] = []

    def write(self, rounds: int) -> None:
        """Write rounds: in each, every key of every kind changes."""
        for _ in range(rounds):
            self._write(range(len(self._steps)))

    def _write(self, numbers: Iterable[int]) -> None:
        changes = [change for number in numbers for change in self._changes(number)]
        self.cluster.streams.control("write", table=TABLE, changes=changes)

    def _changes(self, number: int) -> Iterator[dict[str, Any]]:
        model, step = self.model, self._steps[number]
        self._steps[number] += 1
        turn = step + number
        if turn % 3 == 0:
            held = f"k-{number}"
            yield model.put(lock(held, turn)) if turn % 2 == 0 else model.delete(held)
        yield model.put(order(f"o-{number}", _STATUSES[turn % len(_STATUSES)], step))
        key, gone = f"l-{number}", turn % 9 == 8
        yield model.delete(key) if gone else model.put(line(key, turn // 2 % 5 + 1, step))
        key, gone = f"c-{number}", turn % 11 == 10
        country = _COUNTRIES[turn % len(_COUNTRIES)]
        yield model.delete(key) if gone else model.put(customer(key, country, step))

    def log(self, event_type: str) -> Log:
        """Read an event type's log."""
        log = Log()
        texts: dict[str, str] = {}
        highest: dict[str, int] = {}
        for entry in self.cluster.nakadi.log(event_type, "eid,key,sequence,event"):
            eid, key, text = str(entry["eid"]), str(entry["key"]), str(entry["event"])
            place = (key, int(str(entry["sequence"])))
            if eid in texts:
                log.repeated.append(place)
                if texts[eid] != text:
                    log.changed.append(eid)
                continue
            texts[eid] = text
            if place[1] < highest.get(key, 0):
                log.overtaken.append(place)
            highest[key] = max(highest.get(key, 0), place[1])
            log.told[key].append(_told(json.loads(text)))
        return log

    def missing(self) -> int:
        """How many events are not there yet."""
        wanted = {name: self.model.of(name) for name in EVENT_TYPES}
        return sum(
            sum(map(len, wanted[name].values()))
            - len({str(each["eid"]) for each in self.cluster.nakadi.log(name, "eid")})
            for name in EVENT_TYPES
        )

    def until_told(self, letters: int = 0) -> None:
        """Wait until as many events as there must be are stored, less dead letters."""
        self.cluster.until(lambda: self.missing() <= letters, "every event is stored")

    def judge(self) -> dict[str, Log]:
        """Compare each event type's log with the model: exactly this, in this order per key."""
        found = {}
        for name in EVENT_TYPES:
            log = found[name] = self.log(name)
            assert dict(log.told) == self.model.of(name), name
            assert (log.overtaken, log.changed) == ([], []), name
        return found

    def places(self) -> dict[Place, str]:
        """The shard of each change, by its key and its sequence number."""
        return {place: shard for place, shard, _ in self._records()}

    def times(self) -> dict[Place, float]:
        """When each change was written, in epoch seconds."""
        return {place: at for place, _, at in self._records()}

    def children(self) -> set[str]:
        """The shards that have a parent."""
        streams = self.cluster.truth()
        return {
            shard["shard"] for stream in streams for shard in stream["shards"] if shard["parent"]
        }

    def first(self, event_type: str) -> dict[Place, dict[str, Any]]:
        """The first event of each change, as the log has it."""
        found: dict[Place, dict[str, Any]] = {}
        for entry in self.cluster.nakadi.log(event_type, "key,sequence,received_at"):
            found.setdefault((str(entry["key"]), int(str(entry["sequence"]))), dict(entry))
        return found

    def _records(self) -> Iterator[tuple[Place, str, float]]:
        for stream in self.cluster.truth():
            for shard in stream["shards"]:
                for record in shard["records"]:
                    place = (record["keys"]["id"]["S"], int(record["sequence"]))
                    yield place, shard["shard"], record["at"]

    def letters(self) -> list[str]:
        """The bodies of all dead letters so far; they are taken out of the queue."""
        client = aws_client("sqs", self.cluster.environment())
        while messages := client.receive_message(
            QueueUrl=self.cluster.queue_url, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in messages:
                self._letters.append(str(message["Body"]))
                client.delete_message(
                    QueueUrl=self.cluster.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        client.close()
        return self._letters

    def emitted(self) -> Iterator[tuple[str, str]]:
        """Yield all that left the workers, each with where it was found."""
        for name in EVENT_TYPES:
            for entry in self.cluster.nakadi.log(name, "event,flow_id"):
                yield name, str(entry)
        for worker in self.cluster.workers:
            yield worker.log.name, worker.log.read_text()
            if worker.process.poll() is None:
                for path in ("/status", "/metrics", "/"):
                    yield path, worker.get(path)[1]
        for body in self.letters():
            yield "dead letter", body

    def __enter__(self) -> Self:
        """Go on writing in the background until the block ends; nobody else may write then."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="shop")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._stop.wait(self._pause):
            first, self._next = self._next, self._next + self._at_a_time
            self._write(number % len(self._steps) for number in range(first, self._next))


def leaks(texts: Iterable[tuple[str, str]]) -> list[str]:
    """Name the places of texts that show a marked value, however it is written."""
    encoded = base64.b64encode(MARK.encode()).decode().rstrip("=")
    marks = (MARK, MARKED_BYTES.rstrip("="), encoded, MARK.encode().hex())
    return [place for place, text in texts if any(mark in text for mark in marks)]


@contextmanager
def routed(folder: Path, *arguments: str, shards: int = 2) -> Iterator[Shop]:
    """Start everything but workers; all workers will have the routes of the shop."""
    with cluster(folder, *arguments, shards=shards) as made:
        for name in EVENT_TYPES:
            made.nakadi.create_event_type({**definition("id"), "name": name})
        config = folder / "routes.yaml"
        config.write_text(ROUTES)
        made.settings.update(CONSUMER_CONFIG_FILE=str(config), CONSUMER_EVENT_TYPE="")
        yield Shop(made)


def _told(event: dict[str, Any]) -> Told:
    data = dict(event["data"])
    change = data.pop("change")
    data.pop("patch", None)
    crossing = [name for name in ("entered", "left") if change.get(name)]
    return Told(" ".join([event["data_op"], *crossing]), data)
