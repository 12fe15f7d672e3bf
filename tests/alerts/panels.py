"""Runs every query of the dashboard against a real Prometheus that scraped real workers.

python -m tests.alerts.panels [--keep FILE] [--routes]

Three workers read a stream whose shards split, under load, while Nakadi, the stream and the workers
themselves fail in turn, so that whatever the dashboard can show has happened. With routes there are
three event types, of which one takes a tenth of the changes, and one nothing. A query passes if it
returns data, and, unless nothing should be seen, values above zero.
"""

import argparse
import json
import math
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from localdev.observability.dashboard import FILE
from localdev.observability.rules import LOCAL, SOURCE, render
from tests.alerts.observed import Observed, observed
from tests.alerts.prometheus import Series
from tests.integration.cluster import EVENT_TYPE, definition
from tests.integration.load import Load

PER_SECOND = 200
FEW, NONE = "order-store.few", "order-store.none"
FILLED = {
    "$namespace": "local",
    "$application": EVENT_TYPE,
    "$__rate_interval": "10s",  # longer than a worker stands still: what it counts then is seen
    "$__range": "60s",
    "$read_price": "0.20",
    "$write_price": "0.625",
}
QUIET = {
    "hot keys per second",
    "shard failures",
    "no worker can read",
    "skipped",
    "skipped {{reason}}",
}
"""Legends of what must be there, and may be zero all the time."""


@dataclass
class Answer:
    """What a query returned over the whole run."""

    panel: str
    kind: str
    unit: str
    legend: str
    expression: str
    series: list[Series]

    @property
    def fault(self) -> str | None:
        """What is wrong with it."""
        values = [value for _, samples in self.series for _, value in samples]
        finite = [value for value in values if math.isfinite(value)]
        if not finite:
            return "no data"
        if max(finite) <= 0 and self.legend not in QUIET:
            return "nothing but zero"
        return None


def queries() -> list[Answer]:
    """All of them as in the file, not answered yet."""
    panels = json.loads(FILE.read_text())["panels"]
    return [
        Answer(
            panel["title"],
            panel["type"],
            panel["fieldConfig"]["defaults"]["unit"],
            target["legendFormat"],
            target["expr"],
            [],
        )
        for panel in panels
        for target in panel.get("targets", [])
    ]


def filled(expression: str) -> str:
    """As Grafana would send it."""
    for variable, value in FILLED.items():
        expression = expression.replace(variable, value)
    assert not re.search(r"\$\w", expression), expression
    return expression


def trouble(here: Observed, say: Callable[[str], None]) -> None:
    """One fault after the other, each met by a request and long enough to be scraped."""
    nakadi, streams = here.cluster.nakadi, here.cluster.streams

    def for_a_while(text: str, seconds: float, **fault: object) -> None:
        say(text)
        number = nakadi.add_fault(**fault)
        time.sleep(seconds)
        here.cluster.until(
            lambda: any(one["number"] == number and one["applied"] for one in nakadi.faults()), text
        )
        nakadi.remove_faults(number)
        time.sleep(2.5)

    time.sleep(4)
    for_a_while("Nakadi answers late", 3, kind="delay", delay=1.5)
    for_a_while("Nakadi answers 503", 3, kind="status", status=503)
    for_a_while("Nakadi resets connections after storing", 3, kind="reset", when="after", every=5)
    for_a_while("Nakadi stores a part", 2, kind="partial", mode="nth", nth=3)
    for_a_while("Nakadi refuses an order", 14, kind="reject", field="id", value="o-00000007")
    for_a_while("Nakadi forbids the event type", 3, kind="status", status=403)
    say("the stream forgets, and is throttled")
    faults = {"trim": 2, "trimmed": 2, "throttle": 9}
    streams.control("faults", add=[{"kind": kind, "count": n} for kind, n in faults.items()])
    time.sleep(3)
    say("a worker is killed")
    here.cluster.workers[0].process.send_signal(signal.SIGKILL)
    here.start()
    time.sleep(9)
    say("a worker is stopped for longer than its leases last")
    frozen = here.cluster.workers[1].process
    frozen.send_signal(signal.SIGSTOP)
    time.sleep(7)
    frozen.send_signal(signal.SIGCONT)
    time.sleep(6)


def add_routes(here: Observed) -> None:
    """Publish to two more event types."""
    for name in (FEW, NONE):
        here.cluster.nakadi.create_event_type({**definition("id"), "name": name})
    few, none = ({"dynamodb": {"Keys": {"id": {"S": [ids]}}}} for ids in ({"suffix": "7"}, "x"))
    routes: list[dict[str, object]] = [
        {"event_type": EVENT_TYPE},
        {"event_type": FEW, "filter": few},
        {"event_type": NONE, "filter": none},
    ]
    here.cluster.settings.update(
        CONSUMER_ROUTES=json.dumps(routes),
        CONSUMER_EVENT_TYPE="",
        CONSUMER_APPLICATION=EVENT_TYPE,
    )


def answers(folder: Path, say: Callable[[str], None], *, routes: bool = False) -> list[Answer]:
    """Play, then ask. About a minute."""
    rules = render(SOURCE.read_text(), LOCAL)
    with observed(folder, rules, "--split-every", "8", shards=4) as here:
        here.cluster.settings.update(
            CONSUMER_LEASE_DURATION_SECONDS="5",
            CONSUMER_HEARTBEAT_SECONDS="1",
            CONSUMER_SCAN_SECONDS="1",
            CONSUMER_CHECKPOINT_SECONDS="1",
            CONSUMER_PROBE_SECONDS="1",
        )
        if routes:
            add_routes(here)
        started = time.time()
        here.start()
        here.start()
        with Load(here.cluster, PER_SECOND):
            trouble(here, lambda text: say(f"{time.time() - started:5.1f} s  {text}"))
        asked = queries()
        for each in asked:
            each.series = here.prometheus.over(filled(each.expression), started, time.time())
        return asked


def main() -> int:
    """Print a line for each query; 1 if one has no data."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--keep", type=Path, help="write all results to this file, as JSON")
    parser.add_argument("--routes", action="store_true", help="with three event types")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = answers(Path(folder), lambda text: print(text, flush=True), routes=asked.routes)
    for each in results:
        count = len(each.series)
        print(f"{each.fault or 'ok':16} {count:3} series  {each.panel}: {each.legend}")
    if asked.keep:
        asked.keep.write_text(json.dumps([asdict(each) for each in results]))
    failed = sum(each.fault is not None for each in results)
    print(f"{len(results)} queries, {failed} without the data expected")
    return int(failed > 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or what it has started would live on
    sys.exit(main())
