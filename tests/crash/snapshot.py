"""A snapshot beside the service at work: killed, gone on with by two processes, and judged.

python -m tests.crash.snapshot [--items 50000] [--writes 500] [--kills 2] [--rcu N] [--max-rate N]

Printed are how long it took, what was published, how long an event of the stream took from its
write until it was stored, before the snapshot and during it, and what each process says at its end.
Exit code 1 unless four readers equal the table at the end: of all items and of the view of orders,
one that began empty with the snapshot and one that was there from the start.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import quantiles

from localdev.aws.dynamodb_local import dynamodb_local, jar
from localdev.aws.process import AwsProcess, local_aws
from localdev.nakadi.process import local_nakadi
from tests.integration.republished import Json
from tests.integration.snapshot_load import Writer, of_all, of_orders, read, table_of
from tests.integration.snapshot_service import SnapshotService
from tests.reference.reader import seconds

ITEM_BYTES = 1_000
BEFORE_SECONDS = 30.0
"""How long the service runs under load before the snapshot begins."""

LONGEST_SECONDS = 3_600.0


class Run:
    """One snapshot, from the table's first item to the readers' verdict."""

    def __init__(self, service: SnapshotService, asked: argparse.Namespace) -> None:
        self._service = service
        self._asked = asked
        self._started = time.monotonic()
        self._words = ("snapshot", "--id", "first", "--yes", *self._rates())

    def judge(self) -> bool:
        """Run it, print what was measured, and tell whether all readers are right."""
        service, asked = self._service, self._asked
        writer = Writer(service, asked.items, asked.writes, ITEM_BYTES)
        self._say(f"{asked.items:,} items are written")
        writer.fill()
        service.start("run")
        self._until(lambda: service.count(service.all) >= asked.items, "the service has caught up")
        with writer:
            time.sleep(BEFORE_SECONDS)
            began = {name: service.count(name) for name in (service.all, service.order)}
            self._say(f"the snapshot begins; written {writer.written:,} in {BEFORE_SECONDS:g} s")
            taken, written = self._snapshot(), writer.written
        ended = service.count(service.all)
        rate = written / (BEFORE_SECONDS + taken)
        self._say(f"the snapshot took {taken:.0f} s; written {rate:.0f} a second")
        return self._verdict(began, ended)

    def _rates(self) -> Iterator[str]:
        for option in ("rcu", "max_rate"):
            if (value := getattr(self._asked, option)) is not None:
                yield from (f"--{option.replace('_', '-')}", str(value))

    def _snapshot(self) -> float:
        """Make it, with kills; the seconds that it took."""
        service, asked = self._service, self._asked
        began = time.monotonic()
        for number in range(1, asked.kills + 1):
            victim = service.start(*self._words)
            part = number * asked.items // (asked.kills + 2)
            self._until(partial(service.has_counted, part), f"{part:,} items are settled")
            victim.kill()
            victim.wait()
            self._say(f"killed with {service.counted():,} items settled")
        last = [service.start(*self._words), service.start(*self._words)]
        codes = [process.wait(LONGEST_SECONDS) for process in last]
        if codes != [0, 0]:
            raise RuntimeError(f"the snapshot ended with {codes}: {service.folder}")
        return time.monotonic() - began

    def _verdict(self, began: dict[str, int], ended: int) -> bool:
        service = self._service
        items = table_of(service)
        wanted = {service.all: of_all(items), service.order: of_orders(items)}
        keys = {service.all: ("pk", "sk"), service.order: ("pk", "line")}
        right = True
        for name, table in wanted.items():
            self._until(partial(self._equal, name, keys[name], table), f"{name}: all is read")
            empty = read(service.stored(name)[began[name] :], *keys[name]) == table
            self._say(f"{name}: {len(table):,} keys; the reader that began empty is right: {empty}")
            right = right and empty
        events = service.nakadi.log(service.all, "event,received_at")
        self._tell(service.stored(service.all), events, began[service.all], ended)
        return right

    def _equal(self, event_type: str, keys: tuple[str, ...], table: Json) -> bool:
        """A reader that was there from the start is right."""
        return bool(read(self._service.stored(event_type), *keys) == table)

    def _tell(self, events: list[Json], facts: list[Json], began: int, ended: int) -> None:
        """Print what was published, and the ages before and during the snapshot."""
        made = sum(event["data_op"] == "S" for event in events)
        self._say(f"{made:,} events of the snapshot for all items")
        since = next(i for i, e in enumerate(events) if i >= self._asked.items)
        for name, first, last in (("before", since, began), ("during", began, ended)):
            ages = [
                seconds(facts[at]["received_at"]) - events[at]["data"]["at"]
                for at in range(first, last)
                if events[at]["data_op"] in "CU"
            ]
            cut = quantiles(ages, n=100)
            self._say(
                f"write to stored, {name}: p50 {cut[49]:.2f} s, p99 {cut[98]:.2f} s, "
                f"longest {max(ages):.2f} s, of {len(ages):,}"
            )
        for log in sorted(self._service.folder.glob("snapshot-*.log")):
            for line in log.read_text().splitlines():
                if " items read" in line:
                    print(f"         {log.stem}: {line}")

    def _until(self, true: Callable[[], bool], what: str) -> None:
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > LONGEST_SECONDS:
                raise TimeoutError(f"not within {LONGEST_SECONDS:g} s: {what}")
            time.sleep(0.5)
        self._say(what)

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._started:7.1f}  {text}", flush=True)


@contextmanager
def table_server(name: str) -> Iterator[AwsProcess]:
    """Run what has the table and the leases."""
    with (dynamodb_local if name == "dynamodb-local" else local_aws)() as aws:
        yield aws


def main(asked: argparse.Namespace) -> int:
    """Return 1 if a reader is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="snapshot-"))
    with table_server(asked.table) as aws, local_nakadi() as nakadi:
        service = SnapshotService(aws, nakadi, folder)
        try:
            right = Run(service, asked).judge()
        finally:
            service.close()
    print("all readers equal the table" if right else f"BAD: {folder}")
    return 0 if right else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--writes", type=float, default=500.0, metavar="A SECOND")
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--rcu", type=int)
    parser.add_argument("--max-rate", type=int)
    default = "ministack" if jar() is None else "dynamodb-local"
    parser.add_argument("--table", choices=("ministack", "dynamodb-local"), default=default)
    sys.exit(main(parser.parse_args()))
