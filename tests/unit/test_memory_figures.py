"""What pages and chart say about memory adds up, and is what the code has.

`tests/ecs` holds the ECS template to the chart.
"""

import re
from math import ceil
from pathlib import Path

import pytest

from consumer.adapters.aws.get_records_parser import MAX_BODY_BYTES
from consumer.adapters.nakadi import MAX_ANSWER_BYTES
from consumer.core.backlog.budget import MIB, RESERVATION
from consumer.core.event.event import EventFormat
from consumer.core.event.items.plain_gaps import GAPS_BYTES
from consumer.core.event.items.shapes import SHAPES_BYTES
from consumer.core.event.member_names import NAMES_BYTES
from consumer.core.limits import PublishLimits
from consumer.core.publishing.placement import LEARNT_BYTES
from consumer.core.publishing.slots import Slots
from consumer.runtime.shard.page_reservations import EVENTS_ROOM
from consumer.settings.route_definition import MOST_ROUTES
from consumer.settings.settings import Settings
from consumer.settings.types import SMALLEST_QUEUE

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text().split("### Memory\n")[1].split("\n#")[0]
ROWS = {
    name: int(size)
    for name, size in re.findall(r"^\| ([^|]+?) \| ([0-9]+) \|", SECTION, re.MULTILINE)
}
SHARDS, SHARD_BYTES = 100, 0.2 * MIB


def container_limit(queue_bytes: int) -> int:
    """The bytes of memory that the chart gives to a worker with this queue."""
    return (base() + ceil(queue_bytes * 1.25 / MIB)) * MIB


def base() -> int:
    """MiB of the chart's limit beside the queue's."""
    template = (ROOT / "helm/templates/_pod.tpl").read_text()
    found = re.search(
        r"add ([0-9]+) \(int64 \(ceil \(divf \(mulf \S+queue_bytes 1\.25\) 1048576", template
    )
    assert found is not None
    return int(found[1])


def test_what_the_code_limits_is_what_the_table_says() -> None:
    limits = PublishLimits()
    requests = 2 * limits.concurrency * limits.batch_bytes
    assert ROWS["shapes of items and names of attributes that are remembered"] * MIB == (
        SHAPES_BYTES + GAPS_BYTES + 2 * NAMES_BYTES
    )
    assert ROWS["keys of partitions that are down"] * MIB == LEARNT_BYTES
    assert ROWS["requests to Nakadi, and their copies in the client"] == ceil(requests / MIB)
    assert ROWS["a page that needs more than 3 MiB"] * MIB == MAX_BODY_BYTES
    assert ROWS["100 shards"] * MIB == SHARDS * SHARD_BYTES
    assert RESERVATION == 3 * MIB == MIB + EVENTS_ROOM
    assert MAX_ANSWER_BYTES == MAX_BODY_BYTES


def slots(event_types: int) -> int:
    """How many requests `event_types` event types may have in flight together."""
    limits, names = PublishLimits(), [str(number) for number in range(event_types)]
    shared = Slots(event_types, limits.concurrency)
    return sum(shared.take(name) for _ in range(limits.concurrency) for name in names)


def for_routes(event_types: int) -> int:
    """MiB that the chart adds for this number of event types."""
    template = (ROOT / "helm/templates/_pod.tpl").read_text()
    assert "add (mul 14 (sub (max 1 (min $count 4)) 1)) (mul 2 (sub (max 1 $count) 1))" in template
    assert f"$count = {MOST_ROUTES} -}}}}" in template
    return 14 * (min(event_types, 4) - 1) + 2 * (event_types - 1)


@pytest.mark.parametrize("event_types", range(1, MOST_ROUTES + 1))
def test_several_event_types_have_room_for_their_requests_and_for_the_events_of_a_record(
    event_types: int,
) -> None:
    limits = PublishLimits()
    requests = 2 * (slots(event_types) - limits.concurrency) * limits.batch_bytes
    events = (event_types - 1) * EventFormat("", ()).event_bytes
    assert requests + events <= for_routes(event_types) * MIB
    named = 16 * min(event_types - 1, 3) + 2 * max(event_types - 4, 0)
    assert named == for_routes(event_types)


def test_pages_say_what_several_event_types_need() -> None:
    text = " ".join(SECTION.split())
    most = for_routes(MOST_ROUTES)
    for words in (
        "16 MiB for each of the second to the fourth, and 2 MiB for each further one",
        f"so {most} MiB for {MOST_ROUTES}",
        "for their requests, which are four times as many together, or one for each and seven more",
    ):
        assert words in text
    assert slots(4) == slots(25) == 4 * PublishLimits().concurrency
    assert slots(MOST_ROUTES) == MOST_ROUTES + 7
    for page in ("ecs/README.md", "ecs/service.yaml"):
        assert f"up to {most} more with several routes" in (ROOT / page).read_text()


def test_the_parts_are_within_the_limit_of_the_chart() -> None:
    parts = sum(size for name, size in ROWS.items() if name != "together")
    assert parts == ROWS["together"] <= base()


def test_the_shards_that_have_room_for_a_page_are_counted_right() -> None:
    default = Settings.model_fields["queue_bytes"].default
    usual, fewest = default // RESERVATION, SMALLEST_QUEUE // RESERVATION
    assert f"about {usual} by default, {fewest} with the smallest queue" in " ".join(
        SECTION.split()
    )
    limit = container_limit(default) // MIB
    assert f"({limit} MiB by default)" in SECTION


@pytest.mark.parametrize(
    "page", ["README.md", "helm/README.md", "docs/runbook.md", "helm/templates/_pod.tpl"]
)
def test_every_page_names_the_same_limit(page: str) -> None:
    text = " ".join((ROOT / page).read_text().split())
    assert f"{base()} MiB" in text
    assert "five quarters of" in text
