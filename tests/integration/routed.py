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
_PAUSE_SECONDS = 0.05
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
    """Writes every kind of item, again and again, in the order of `Model`."""

    def __init__(self, cluster: Cluster, keys: int = 12) -> None:
        self.cluster = cluster
        self.model = Model()
        self._keys = keys
        self._round = 0
        self._letters: list[str] = []

    def write(self, rounds: int) -> None:
        """Write rounds: in each, every key of every kind changes."""
        for _ in range(rounds):
            step = self._round
            self._round += 1
            changes = []
            for number in range(self._keys):
                changes += self._changes(number, step)
            self.cluster.streams.control("write", table=TABLE, changes=changes)

    def _changes(self, number: int, step: int) -> list[dict[str, Any]]:
        model, turn = self.model, step + number
        held = f"k-{number}"
        yielded = [model.put(lock(held, turn)) if step % 2 == 0 else model.delete(held)]
        status = _STATUSES[turn % len(_STATUSES)]
        yielded.append(model.put(order(f"o-{number}", status, step)))
        quantity = turn // 2 % 5 + 1
        gone = turn % 9 == 8
        key = f"l-{number}"
        yielded.append(model.delete(key) if gone else model.put(line(key, quantity, step)))
        key, country = f"c-{number}", _COUNTRIES[turn % len(_COUNTRIES)]
        gone = turn % 11 == 10
        yielded.append(model.delete(key) if gone else model.put(customer(key, country, step)))
        return yielded

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
        return {
            (record["keys"]["id"]["S"], int(record["sequence"])): shard["shard"]
            for stream in self.cluster.truth()
            for shard in stream["shards"]
            for record in shard["records"]
        }

    def letters(self) -> list[str]:
        """The bodies of all dead letters that were received so far, and of those that came."""
        client = aws_client("sqs", self.cluster.environment())
        while messages := client.receive_message(
            QueueUrl=self.cluster.queue_url, MaxNumberOfMessages=10
        ).get("Messages"):
            self._letters += [str(message["Body"]) for message in messages]
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
        """Go on writing in the background until the block ends."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="shop")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._stop.wait(_PAUSE_SECONDS):
            self.write(1)


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
