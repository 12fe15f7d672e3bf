"""What is asked of all event types before the start, and what of it ends the start."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from structlog.testing import capture_logs

from consumer.core.event.event import EventFormat
from consumer.core.limits import PublishLimits
from consumer.core.publishing.placement import Partitioning
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from consumer.core.stream.stream import ViewType
from consumer.errors import Misconfigured, Retryable
from consumer.preflight import START_SECONDS, Started, before_start
from tests.twins.virtual_time import run

if TYPE_CHECKING:
    from consumer.adapters.nakadi import Nakadi

SCHEMA: dict[str, Any] = {"properties": {"id": {"type": "string"}}}
CLOSED: dict[str, Any] = {
    "properties": {
        "change": {
            "properties": {"sequence": {"type": "string"}, "stream": {"type": "string"}},
            "additionalProperties": False,
        }
    }
}
NO_STREAM: dict[str, Any] = {
    "properties": {"change": {"properties": {"sequence": {}}, "additionalProperties": False}}
}


def definition(schema: dict[str, Any] = SCHEMA, **changes: Any) -> bytes:
    fields = {
        "category": "data",
        "cleanup_policy": "delete",
        "partition_strategy": "hash",
        "partition_key_fields": ["id"],
        "schema": {"schema": json.dumps(schema)},
    }
    return json.dumps(fields | changes).encode()


COMPACTED = definition(cleanup_policy="compact")


@dataclass
class Shown:
    """What Nakadi shows of one event type, after `seconds`."""

    body: bytes = b""
    status: int = 200
    seconds: float = 1.0
    failure: str = ""

    async def event_type(self) -> tuple[int, bytes, str]:
        await asyncio.sleep(self.seconds)
        if self.failure:
            raise Retryable("no answer", self.failure)
        return self.status, self.body, "flow"

    async def partitions(self) -> tuple[str, ...]:
        await asyncio.sleep(self.seconds)
        return ("0", "1")


def route_of(name: str, *, single: bool = False, filter_: object = None) -> Route:
    asked = None if filter_ is None else read_filter(filter_)
    form = EventFormat(name, ("id",))
    return Route(name, form, PublishLimits(), ("id",), asked, name=name, single=single)


def start(
    shown: dict[str, Shown], *routes: Route, first_to_name: bool = False
) -> tuple[Started, float]:
    asked = routes or tuple(map(route_of, shown))
    found: list[tuple[Started, float]] = []

    async def main() -> None:
        nakadis = cast("dict[str, Nakadi]", shown)
        started = await before_start(
            nakadis, asked, ViewType.NEW_AND_OLD_IMAGES, first_to_name=first_to_name
        )
        found.append((started, asyncio.get_running_loop().time()))

    run(main)
    return found[0]


def test_all_are_asked_at_the_same_time() -> None:
    started, seconds = start({f"t{number}": Shown(definition()) for number in range(50)})
    assert seconds == 2.0
    assert set(started.partitionings.values()) == {Partitioning(("id",), ("0", "1"))}
    assert started.unfit == {}


def test_all_have_three_seconds_together() -> None:
    slow = {f"t{number}": Shown(definition(), seconds=60.0) for number in range(9)}
    with capture_logs() as logs:
        started, seconds = start({**slow, "quick": Shown(definition())})
    assert seconds == START_SECONDS
    assert len(started.partitionings) == 10
    told = [(log["event"], log["reason"]) for log in logs]
    assert told == [("event_type_not_checked", "timeout")] * 9


def test_a_definition_that_can_never_take_the_events_is_unfit() -> None:
    started, _ = start({"a": Shown(definition()), "b": Shown(COMPACTED), "c": Shown(b"", 404)})
    assert set(started.unfit) == {"b"}
    assert "compacted" in started.unfit["b"].wrong.result
    assert set(started.partitionings) == {"a", "b", "c"}


def test_a_closed_change_is_unfit_for_a_view_and_says_what_to_add() -> None:
    view = {"item": {"status": {"S": ["PAID"]}}}
    shown = {"a": Shown(definition(CLOSED)), "b": Shown(definition(CLOSED))}
    started, _ = start(shown, route_of("a", filter_=view), route_of("b"))
    assert set(started.unfit) == {"a"}
    remedy = started.unfit["a"].wrong.remedy
    assert '"entered": {"type": "boolean"}, "left": {"type": "boolean"}' in remedy


def test_without_room_for_the_stream_it_stops_itself_where_this_version_has_run() -> None:
    shown = {"a": Shown(definition(NO_STREAM)), "b": Shown(definition())}
    started, _ = start(shown)
    assert set(started.unfit) == {"a"}
    assert "no stream, which" in started.unfit["a"].wrong.result


def test_without_room_for_the_stream_a_roll_ends_at_its_first_worker() -> None:
    """The workers of the version before go on, whose events it takes."""
    shown = {"b": Shown(definition()), "a": Shown(definition(NO_STREAM))}
    with pytest.raises(Misconfigured) as error:
        start(shown, first_to_name=True)
    assert str(error.value).startswith(
        "CONSUMER_ROUTES, route a: a: the schema's change has no stream, which events have;"
        ' add to its properties: "stream": {"type": "string"}'
    )


def test_what_took_no_event_of_the_version_before_halts_no_roll() -> None:
    shown = {"a": Shown(definition(CLOSED)), "b": Shown(COMPACTED), "c": Shown(definition())}
    view = route_of("a", filter_={"item": {"status": {"S": ["PAID"]}}})
    started, _ = start(shown, view, route_of("b"), route_of("c"), first_to_name=True)
    assert set(started.unfit) == {"a", "b"}


def test_if_no_event_type_is_fit_the_start_ends() -> None:
    with pytest.raises(Misconfigured, match=r"^CONSUMER_ROUTES, route a: a: compacted.*2 routes"):
        start({"a": Shown(COMPACTED), "b": Shown(definition(category="business"))})


def test_the_single_event_type_ends_the_start_as_before() -> None:
    with pytest.raises(Misconfigured) as error:
        start({"a": Shown(COMPACTED)}, route_of("a", single=True))
    assert str(error.value) == (
        "CONSUMER_EVENT_TYPE: a: compacted: it needs a partition_compaction_key, which these"
        " events lack; choose one with cleanup_policy delete"
    )


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        (Shown(COMPACTED), "wrong"),
        (Shown(definition(category="business")), "wrong"),
        (Shown(definition()), "fits"),
        (Shown(b"", 403), "fits"),
        (Shown(b"", 404), "fits"),
        (Shown(b"", 503), "unknown"),
        (Shown(b"no event type"), "unknown"),
        (Shown(failure="reset"), "unknown"),
        (Shown(seconds=60.0), "unknown"),
    ],
)
def test_it_is_asked_again(now: Shown, answer: str) -> None:
    shown = {"a": Shown(definition()), "b": Shown(COMPACTED)}
    started, _ = start(shown)
    unfit = started.unfit["b"]
    vars(shown["b"]).update(vars(now))
    found = []

    async def main() -> None:
        found.append(await unfit.ask())

    with capture_logs() as logs:
        run(main)
    kind = "unknown" if found[0] is None else "wrong"
    assert answer == ("fits" if isinstance(found[0], Partitioning) else kind)
    assert logs == []
