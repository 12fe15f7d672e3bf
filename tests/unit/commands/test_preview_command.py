"""`consumer preview` as its users meet it; and the tip of a stream, on a twin."""

from __future__ import annotations

import io
import json
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import pytest
from msgspec import Raw

from consumer import cli
from consumer.commands.events.preview import confirm, live_seconds
from consumer.commands.events.stream_tip import StreamTip
from consumer.core.stream.page import Page
from consumer.core.stream.record import decode_record
from consumer.core.stream.stream import (
    AtLatest,
    AtTrimHorizon,
    Position,
    Shard,
    Stream,
    StreamPage,
    ViewType,
)
from consumer.errors import ExpiredIterator, Misconfigured, Retryable, ShardNotFound, TrimmedData
from consumer.find_stream import FoundStream
from consumer.observability import logs
from tests.reference.records import KEYS, record_of
from tests.twins.virtual_time import run

if TYPE_CHECKING:
    from pathlib import Path

    from consumer.ports import StreamClient

ROUTES = """[
    {"event_type": "s.paid", "filter": {"item": {"status": {"S": ["PAID"]}}}, "exclude": ["card"]},
    {"event_type": "s.rest", "name": "rest", "otherwise": true, "include": ["id", "status"]}
]"""
ENVIRON = {
    "CONSUMER_ROUTES": ROUTES,
    "CONSUMER_APPLICATION": "orders",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
}
ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-11-01T00:00:00.000"


class Answer(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class Command(Protocol):
    def __call__(
        self, *words: str, records: str = "", environ: dict[str, str] | None = None
    ) -> Answer: ...


@pytest.fixture
def preview(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in this process; `records` are its stdin, which is no terminal."""
    monkeypatch.setattr(logs, "configure_command", lambda: None)

    def execute(*words: str, records: str = "", environ: dict[str, str] | None = None) -> Answer:
        stdin = io.TextIOWrapper(io.BytesIO(records.encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
        try:
            code = cli.execute(("preview", *words), ENVIRON | (environ or {}))
        except SystemExit as error:
            code = int(str(error.code))
        return Answer(code, *capsys.readouterr())

    return execute


def record(status: str, name: str = "INSERT", **more: object) -> str:
    item = KEYS | {"status": {"S": status}, "card": {"S": "marked"}}
    new, old = (item, None) if name == "INSERT" else (None, item)
    return json.dumps(record_of(name, old, new, **more))


def test_a_line_of_json_for_each_record_and_nothing_of_what_is_left_out(preview: Command) -> None:
    records = (
        f"{record('PAID', eventSourceARN=ARN)}\n{record('OPEN', 'REMOVE', eventSourceARN=ARN)}\n"
    )
    answer = preview("--records", "-", "--json", records=records)
    assert (answer.returncode, answer.stderr) == (0, "")
    paid, opened = map(json.loads, answer.stdout.splitlines())
    number = "400000000000000499660041"
    event = paid["events"][0]["event"]
    assert paid == {
        "sequence_number": number,
        "events": [{"route": "s.paid", "event_type": "s.paid", "event": event}],
        "not_taken": [{"route": "rest", "reason": "otherwise: the filter of s.paid takes it"}],
    }
    change = {"sequence": number.rjust(40, "0"), "stream": "2026-11-01T00:00:00.000"}
    assert event["data"] == {"id": "o-4711", "status": "PAID", "change": change}
    assert [each["route"] for each in opened["events"]] == ["rest"]
    assert opened["not_taken"] == [
        {"route": "s.paid", "reason": "filter: item.status.S: equals does not match"}
    ]
    assert "marked" not in answer.stdout


def test_what_took_nothing_and_what_no_record_had_is_told_at_the_end(
    preview: Command, tmp_path: Path
) -> None:
    file = tmp_path / "event.json"
    bare = json.dumps({"Records": [record_of("INSERT", None, KEYS)]}, indent=2)
    file.write_text(bare)
    answer = preview("--records", str(file))
    assert answer.returncode == 0
    assert answer.stdout.startswith(
        "INSERT 400000000000000499660041: 1 of 2 routes\n  rest → s.rest\n"
    )
    unnamed, *notes = answer.stderr.splitlines()
    assert unnamed.startswith("note: records do not name their stream: each eid and change.stream")
    assert notes == [
        "note: route s.paid took nothing",
        "note: route s.paid, exclude: no record had card",
        "note: route s.paid, filter: no record had item.status.S",
        "note: route rest, include: no record had status",
    ]


def test_the_eid_is_that_of_the_service(preview: Command) -> None:
    named = record("PAID", eventSourceARN=ARN)
    by_record = preview("--records", "-", "--json", records=named)
    by_setting = preview(
        "--records", "-", "--json", records=record("PAID"), environ={"CONSUMER_STREAM_ARN": ARN}
    )
    assert by_record.stdout == by_setting.stdout
    assert "CONSUMER_STREAM_ARN" not in by_record.stderr + by_setting.stderr


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ("", "--records: it is empty"),
        ("no JSON", "--records: it is no JSON object"),
        ('{"Records": [{"body": "marked"}]}', "--records: line 1 is no stream record"),
    ],
)
def test_bad_input_is_one_line(preview: Command, records: str, says: str) -> None:
    answer = preview("--records", "-", records=records)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith(f"consumer: {says}")
    assert "marked" not in answer.stderr


def test_a_file_that_is_not_there(preview: Command, tmp_path: Path) -> None:
    answer = preview("--records", str(tmp_path / "absent"))
    assert (answer.returncode, answer.stderr.count("\n")) == (2, 1)
    assert "No such file or directory" in answer.stderr


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"CONSUMER_ROUTES": '[{"event_type": "a.b", "filter": {}}]'}, "CONSUMER_ROUTES: route 1"),
        (
            {"CONSUMER_ROUTES": "", "CONSUMER_EVENT_TYPE": ""},
            "CONSUMER_EVENT_TYPE: found nothing",
        ),
        (
            {"CONSUMER_ORDERING_KEY": "pk"},
            "CONSUMER_ROUTES, route s.paid, ordering_key: found 'pk'",
        ),
    ],
)
def test_a_route_that_is_refused(preview: Command, environ: dict[str, str], says: str) -> None:
    answer = preview("--records", "-", records=record("PAID"), environ=environ)
    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (2, "", 1)
    assert answer.stderr.startswith(f"consumer: {says}")


@pytest.mark.parametrize(
    ("key", "told"), [("", False), ("id,line", False), ("id", True), ("line", True)]
)
def test_a_record_does_not_say_which_key_attribute_is_the_partition_key(
    preview: Command, key: str, *, told: bool
) -> None:
    made = record_of("INSERT", None, KEYS | {"line": {"N": "1"}}, eventSourceARN=ARN)
    made["dynamodb"]["Keys"] = {"line": {"N": "1"}, **KEYS}  # the order says nothing
    answer = preview(
        "--records", "-", records=json.dumps(made), environ={"CONSUMER_ORDERING_KEY": key}
    )
    assert answer.returncode == 0
    note = (
        "note: records do not say which of id, line is the partition key: unless it is"
        f" {key}, the service refuses CONSUMER_ROUTES, route rest, ordering_key\n"
    )
    assert (note in answer.stderr) is told
    assert ("partition key" in answer.stderr) is told


def test_the_stream_says_which_key_attribute_is_the_partition_key(
    preview: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = record_of("INSERT", None, KEYS | {"line": {"N": "1"}})
    made["dynamodb"]["Keys"] = {"line": {"N": "1"}, **KEYS}
    found = decode_record(Raw(json.dumps(made).encode()))
    first = StreamPage(STREAM, True, ViewType.NEW_AND_OLD_IMAGES, ("id", "line"), (), None, 0.0)

    class Read:
        def __init__(self, _: object, __: object, take: Any, *___: object) -> None:
            self.take = take
            self.failures: dict[str, int] = {}

        async def read(self, _: float) -> None:
            self.take(Page([found], None, 0))

    async def find(*_: object) -> FoundStream:
        return FoundStream(first)

    module = "consumer.commands.events.preview"
    monkeypatch.setattr(f"{module}.find_stream", find)
    monkeypatch.setattr(f"{module}.StreamTip", Read)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")  # nothing is asked
    environ = {"CONSUMER_STREAM_ARN": ARN, "CONSUMER_ORDERING_KEY": "id"}
    answer = preview("--live", "1", "--yes", environ=environ)
    assert answer.returncode == 0
    assert answer.stdout.startswith("INSERT ")
    assert "partition key" not in answer.stderr
    refused = preview("--live", "1", "--yes", environ=environ | {"CONSUMER_ORDERING_KEY": "line"})
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "'id' among them" in refused.stderr


def test_records_without_the_images_that_a_route_needs(preview: Command) -> None:
    made = record_of("INSERT", None, KEYS)
    made["dynamodb"]["StreamViewType"] = "NEW_IMAGE"
    answer = preview("--records", "-", records=json.dumps(made))
    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (2, "", 1)
    assert answer.stderr.startswith("consumer: the records have view type NEW_IMAGE: ")


def test_a_third_reader_is_asked_for(preview: Command) -> None:
    source = {"CONSUMER_TABLE": "orders"}
    answer = preview("--live", "30", environ=source)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == (
        "consumer: --yes: found neither it nor a terminal to ask at; add it to read the stream"
        " without a question\n"
    )
    nowhere = preview("--live", "30", "--yes")
    assert nowhere.returncode == 2
    assert "CONSUMER_TABLE" in nowhere.stderr
    both = preview("--live", "30", "--records", "-")
    assert (both.returncode, both.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("text", ["0", "601", "-1", "1.5", "soon", "", "٣", "99999"])
def test_a_length_that_is_none(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"^--live: found .*, wanted seconds from 1 to 600$"):
        live_seconds(text)
    assert [live_seconds(good) for good in ("1", "030", "600")] == [1, 30, 600]


@pytest.mark.parametrize(("answer", "goes_on"), [("yes\n", True), ("y\n", False), ("", False)])
def test_only_a_typed_yes_reads_the_stream(
    answer: str, monkeypatch: pytest.MonkeyPatch, *, goes_on: bool
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

    monkeypatch.setattr(sys, "stdin", Terminal())
    if goes_on:
        confirm(30)
    else:
        with pytest.raises(Misconfigured, match="nothing was read"):
            confirm(30)


STREAM = Stream(ARN, "orders", "2026-11-01T00:00:00.000")


def page(*names: str, end: bool = False) -> Page:
    made = [decode_record(Raw(record(name).encode())) for name in names]
    return Page(made, None if end else "next", 0)


class Tip:
    """A stream of which each shard answers these things, one after the other."""

    def __init__(self, **answers: list[Page | Exception]) -> None:
        self.answers: dict[str, list[Page | Exception]] = answers
        self.children: dict[str, list[Shard]] = {}
        self.late: dict[str, list[Exception]] = defaultdict(list)
        self.asked: list[tuple[str, Position]] = []
        self.started: list[int] = []

    async def describe_stream(self, stream: Stream, after: str | None) -> StreamPage:
        shards = [Shard("late", None, None), Shard("gone", None, None)] if after else []
        return listing(*shards)

    async def shard_iterator(
        self, stream: Stream, shard_id: str, position: Position
    ) -> tuple[str, float]:
        self.asked.append((shard_id, position))
        if shard_id == "gone":
            raise ShardNotFound("gone")
        return shard_id, 0.0

    async def get_records(self, iterator: str) -> Page:
        answers = self.answers.get(iterator, [])
        answer = answers.pop(0) if answers else page()
        if isinstance(answer, Exception):
            raise answer
        return Page(answer.records, answer.next_iterator and iterator, 0)

    async def child_shards(self, stream: Stream, shard_id: str) -> list[Shard]:
        if self.late[shard_id]:
            raise self.late[shard_id].pop(0)
        return self.children.get(shard_id, [])


def listing(*shards: Shard, more: str | None = None) -> StreamPage:
    return StreamPage(STREAM, True, ViewType.NEW_AND_OLD_IMAGES, ("id",), shards, more, 0.0)


def read(tip: Tip, first: StreamPage, seconds: float = 10.0) -> tuple[StreamTip, list[Any]]:
    taken: list[Any] = []
    tip.started = []

    async def main() -> StreamTip:
        found = StreamTip(
            cast("StreamClient", tip),
            first,
            lambda page: taken.extend(json.loads(bytes(each.text)) for each in page.records),  # type: ignore[union-attr]
            tip.started.append,
        )
        await found.read(seconds)
        return found

    return run(main), [each["dynamodb"]["NewImage"]["status"]["S"] for each in taken]


def test_the_tip_of_every_open_shard_is_read() -> None:
    tip = Tip(one=[page("a"), page("b")], late=[page("c")])
    shards = (Shard("one", None, None), Shard("closed", None, 7))
    found, taken = read(tip, listing(*shards, more="closed"))
    assert sorted(taken) == ["a", "b", "c"]
    assert tip.asked == [("one", AtLatest()), ("late", AtLatest()), ("gone", AtLatest())]
    assert found.pages >= 2
    assert not found.failures
    assert tip.started == [3]


def test_the_children_of_a_shard_that_ends_are_read_from_their_first_record() -> None:
    tip = Tip(one=[page("a", end=True)], two=[page("b")])
    tip.children["one"] = [Shard("two", "one", None)]
    tip.late["one"] = [Retryable("later", "throttled")]
    found, taken = read(tip, listing(Shard("one", None, None)))
    assert taken == ["a", "b"]
    assert tip.asked == [("one", AtLatest()), ("two", AtTrimHorizon())]
    assert found.failures == {"throttled": 1}
    lost = Tip(one=[page("a", end=True)])
    lost.late["one"] = [ShardNotFound("gone")]
    assert read(lost, listing(Shard("one", None, None)))[1] == ["a"]


def test_calls_that_fail_are_counted_and_tried_again() -> None:
    failures: list[Page | Exception] = [Retryable("slow down", "throttled")] * 2
    expired = ExpiredIterator("old", "expired_iterator")
    tip = Tip(one=[page("a"), *failures, page("b"), expired, TrimmedData("gone"), page("c")])
    found, taken = read(tip, listing(Shard("one", None, None)))
    assert taken == ["a", "b", "c"]
    assert found.failures == {"throttled": 2}
    assert tip.started == [1]
    assert tip.asked == [("one", AtLatest())] * 3


def test_reading_ends_in_time() -> None:
    found, _ = read(Tip(), listing(Shard("one", None, None)), seconds=5.5)
    assert found.pages == 6
    ended, _ = read(Tip(), listing(Shard("one", None, 7)))
    assert ended.pages == 0
