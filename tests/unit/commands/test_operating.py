"""How commands get into the lease table: asked for once, there once, and waited for."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
from msgspec.structs import replace

from consumer.cli import _parser
from consumer.commands.operate import pause, seek
from consumer.commands.operate.operator_command import (
    NotApplied,
    OperatorRequest,
    confirm,
    issue,
    issue_all,
    operate,
    prepare,
    preview_text,
)
from consumer.commands.operate.seek import checked, parse_target
from consumer.core.leases.checkpoint import LATEST, SHARD_END, TRIM_HORIZON
from consumer.core.leases.command import Action
from consumer.core.leases.lease import Lease, StreamRow
from consumer.errors import (
    Misconfigured,
    Retryable,
    ShardNotFound,
    TrimmedData,
    Unreachable,
)
from consumer.settings.loading import APPLICATION, load_settings
from consumer.settings.settings import Settings
from tests.twins.lease_table import Fault, LeaseTable, LeaseTableTwin
from tests.twins.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from consumer.ports import StreamClient

NOW = 1793525400.0
ROW = StreamRow("arn", "orders", "L", None, TRIM_HORIZON, None, True, 1, 1, 0, "f")
SETTINGS = Settings(table="orders", nakadi_url="http://localhost:1", event_type="a.b")
PAUSE = OperatorRequest(Action.PAUSE, None, (), dry_run=False, confirmed=True, issued_at=NOW)
SEEK = OperatorRequest(Action.SEEK, TRIM_HORIZON, (), dry_run=False, confirmed=True, issued_at=NOW)


class Desk:
    """A lease table and somebody who gives commands."""

    def __init__(self) -> None:
        self.table = LeaseTable(streams={ROW.key: ROW})
        self.store = LeaseTableTwin(self.table)
        self.out = io.StringIO()
        for lease in (
            Lease("s-0", None, checkpoint=SHARD_END),
            Lease("s-1", "s-0", "w-1", 1, "400", created_at=NOW),
            Lease("s-2", None, None, 0, created_at=NOW),
        ):
            self.table.of(ROW.key)[lease.shard_id] = lease

    async def operate(self, wanted: OperatorRequest) -> None:
        commands = await prepare(self.store, SETTINGS, wanted)
        self.out.write("".join(preview_text(each) for each in commands))
        await issue_all(self.store, commands, 40.0, self.out)

    async def obey_soon(self) -> None:
        """What the owner of s-1 does."""
        await asyncio.sleep(3)
        leases = self.table.of(ROW.key)
        leases["s-1"] = replace(leases["s-1"], command_counter=self.numbers()[-1])

    def numbers(self) -> list[int]:
        return sorted(self.table.commands.get(ROW.key, {}))


@pytest.fixture(autouse=True)
def virtual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: asyncio.get_running_loop().time())


def at(main: Callable[[Desk], Coroutine[Any, Any, None]]) -> Desk:
    desk = Desk()
    run(lambda: main(desk))
    return desk


def test_a_command_is_waited_for_where_a_shard_has_an_owner() -> None:
    async def main(desk: Desk) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(desk.obey_soon())
            await desk.operate(SEEK)

    desk = at(main)
    assert desk.table.commands[ROW.key][1].shards == ("s-1", "s-2")
    assert "s-1    w-1    400           repeats everything" in desk.out.getvalue()
    assert "applied to 1 of 2 shards; 1 without an owner:" in desk.out.getvalue()


def test_without_owners_nobody_has_obeyed() -> None:
    async def main(desk: Desk) -> None:
        await desk.operate(replace(PAUSE, shards=("s-2",)))

    assert "applied to 0 of 1 shards; 1 without an owner:" in at(main).out.getvalue()


def test_a_table_that_fails_while_a_command_is_waited_for_does_not_hide_that_it_stands() -> None:
    async def main(desk: Desk) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(desk.obey_soon())
            desk.store.fail("read_leases", None, Fault.HANGS, Fault.REFUSED)
            await desk.operate(SEEK)
        desk.store.fail("read_leases", None, *[Fault.REFUSED] * 100)
        with pytest.raises(
            NotApplied, match=r"command 2 is given; the lease table does not answer"
        ):
            await desk.operate(SEEK)

    assert at(main).numbers() == [1, 2]


def test_a_command_that_nobody_obeys_stands_and_is_exit_code_1() -> None:
    async def main(desk: Desk) -> None:
        with pytest.raises(NotApplied, match=r"command 1 is given; the owners of s-1 have not"):
            await desk.operate(PAUSE)

    desk = at(main)
    assert desk.table.commands[ROW.key][1].shards is None
    assert NotApplied.exit_code == 1


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("x" * 201, "--reason: found 201 characters, wanted at most 200"),
        ("a\nb", "--reason: found a line break or another control character, wanted one line"),
    ],
)
def test_a_reason_is_one_short_line(reason: str, told: str) -> None:
    with pytest.raises(Misconfigured, match=told):
        pause._reason(reason)
    assert pause._reason(" new schema\n") == "new schema"


def test_a_dry_run_changes_nothing() -> None:
    out = io.StringIO()
    assert operate(SETTINGS, replace(SEEK, dry_run=True, confirmed=False), (), out) == 0
    assert out.getvalue() == "dry run: nothing was changed\n"


def test_lost_answers_leave_one_command() -> None:
    async def main(desk: Desk) -> None:
        desk.store.fail("add_command", Fault.LOST_AFTER, Fault.LOST_BEFORE, Fault.HANGS)
        (there,) = await prepare(desk.store, SETTINGS, PAUSE)
        assert (await issue(desk.store, there)).number == 1

    assert at(main).numbers() == [1]


def test_of_two_operators_each_has_a_number() -> None:
    async def main(desk: Desk) -> None:
        (mine,) = await prepare(desk.store, SETTINGS, PAUSE)
        (theirs,) = await prepare(desk.store, SETTINGS, SEEK)
        async with asyncio.TaskGroup() as tasks:
            for there in (mine, theirs):
                tasks.create_task(issue(desk.store, there))

    desk = at(main)
    assert desk.numbers() == [1, 2]
    assert {c.action for c in desk.table.commands[ROW.key].values()} == {Action.PAUSE, Action.SEEK}


def test_a_table_that_does_not_answer_is_given_up() -> None:
    async def main(desk: Desk) -> None:
        (there,) = await prepare(desk.store, SETTINGS, PAUSE)
        desk.store.cut = True
        with pytest.raises(NotApplied, match="not known whether command 1 of orders/L was given"):
            await issue(desk.store, there)

    assert at(main).numbers() == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (replace(SEEK, shards=("s-0",)), "s-0 is finished.*CONSUMER_START"),
        (replace(PAUSE, shards=("s-1", "s-9")), "found 's-9', wanted one that `consumer leases`"),
    ],
)
def test_shards_that_cannot_be_meant_are_refused(wanted: OperatorRequest, words: str) -> None:
    async def main(desk: Desk) -> None:
        with pytest.raises(Misconfigured, match=words):
            await desk.operate(wanted)

    assert at(main).numbers() == []


def test_without_unfinished_shards_there_is_nothing_to_command() -> None:
    async def main(desk: Desk) -> None:
        desk.table.leases.clear()
        with pytest.raises(Misconfigured, match="has no unfinished shards of table 'orders'"):
            await desk.operate(PAUSE)

    at(main)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (io.StringIO("yes\n"), "--yes: found neither it nor a terminal"),
        (Terminal("no\n"), "not confirmed"),
        (Terminal(""), "not confirmed"),
        (Terminal("yes\n"), None),
    ],
)
def test_only_a_typed_yes_confirms(
    stdin: io.StringIO, words: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", stdin)
    if words is None:
        confirm(Action.SEEK)
    else:
        with pytest.raises(Misconfigured, match=re.escape(words)):
            confirm(Action.SEEK)


class Streams:
    """GetShardIterator, with an answer or an error for each shard."""

    def __init__(self, **answers: float | Exception) -> None:
        self.answers = answers

    async def shard_iterator(self, _: object, shard: str, __: object) -> tuple[str, float]:
        answer = self.answers[shard.replace("-", "")]
        if isinstance(answer, Exception):
            raise answer
        return "iterator", answer


def checked_against(streams: Streams, **changes: Any) -> OperatorRequest:
    """What becomes of a seek."""
    found: list[OperatorRequest] = []
    wanted = replace(SEEK, **changes)

    async def main(desk: Desk) -> None:
        commands = await prepare(desk.store, SETTINGS, wanted)
        found.append(await checked(cast("StreamClient", streams), wanted, commands))

    at(main)
    return found[0]


def test_latest_is_the_moment_by_the_clock_of_the_service() -> None:
    streams = Streams(s1=ShardNotFound("s-1"), s2=NOW - 3600)
    assert checked_against(streams, target=LATEST).issued_at == NOW - 3600


def test_a_time_that_the_service_has_not_seen_yet_is_refused() -> None:
    with pytest.raises(Misconfigured, match="in the future"):
        checked_against(Streams(s1=NOW - 3600), target="2026-11-01T09:30:00Z")
    wanted = checked_against(Streams(s1=NOW + 5), target="2026-11-01T09:30:00Z")
    assert wanted.target == "2026-11-01T09:30:00Z"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TrimmedData("old"), "no longer holds 399, wanted trim_horizon"),
        (ShardNotFound("s-1"), "the stream no longer has s-1"),
        (Retryable("no", "validation"), "found 399, wanted a sequence number of s-1"),
    ],
)
def test_a_number_that_is_not_the_shards_own_is_refused(error: Exception, words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        checked_against(Streams(s1=error), target="399", shards=("s-1",))


def test_a_stream_that_does_not_answer_is_no_mistake_of_the_operator() -> None:
    denied = Retryable("GetShardIterator: AccessDeniedException", "access_denied")
    told = f"^stream {ROW.key}: GetShardIterator: AccessDenied"
    with pytest.raises(Unreachable, match=told):
        checked_against(Streams(s1=denied), target="399", shards=("s-1",))
    with pytest.raises(Unreachable, match=told):
        checked_against(Streams(s1=denied), target="2026-11-01T09:30:00Z")


def test_places() -> None:
    assert parse_target("latest") == LATEST
    assert parse_target("Trim_Horizon") == TRIM_HORIZON
    assert parse_target("00400") == "400"
    assert parse_target("2026-11-01T09:30:00Z") == "2026-11-01T09:30:00Z"


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-11-01T09:30:00", "-4", "4.0", "shard_end"],
)
def test_what_is_no_place_is_one_line(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"^--to: found "):
        parse_target(text)


AGAIN = replace(SEEK, action=Action.SEEK_EVENT_TYPE, event_type="a.b")


def test_the_seek_of_an_event_type_names_it_and_its_shards() -> None:
    async def main(desk: Desk) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(desk.obey_soon())
            await desk.operate(AGAIN)

    desk = at(main)
    command = desk.table.commands[ROW.key][1]
    assert (command.action, command.event_type) == (Action.SEEK_EVENT_TYPE, "a.b")
    assert command.shards == ("s-1", "s-2")
    assert "seek orders/L to TRIM_HORIZON, only for a.b\n" in desk.out.getvalue()


def seek_again(*options: str) -> None:
    arguments = _parser().parse_args(["seek", *options])
    environ = {
        "CONSUMER_TABLE": "orders",
        "CONSUMER_EVENT_TYPE": "a.b",
        "CONSUMER_NAKADI_URL": "http://localhost:1",
    }
    seek.run(arguments, environ, io.StringIO())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "latest", "--event-type", "a.b"], "--to: found latest, wanted an earlier"),
        (["--to", "trim_horizon", "--event-type", "c"], "--event-type: found 'c', wanted 'a.b'"),
        (["--to", "trim_horizon", "--event-type", ""], "--event-type: found '', wanted 'a.b'"),
    ],
)
def test_the_seek_of_an_event_type_skips_nothing_and_is_for_one_of_ours(
    options: list[str], words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        seek_again(*options)


def test_the_seek_of_an_event_type_may_name_its_route_and_no_other_word() -> None:
    routes = [{"event_type": "a.b", "name": "orders"}, {"event_type": "c.d"}]
    environ = {
        "CONSUMER_TABLE": "orders",
        "CONSUMER_APPLICATION": "shop",
        "CONSUMER_ROUTES": json.dumps(routes),
    }
    settings = load_settings(environ, [APPLICATION])
    assert seek._event_type("orders", "TRIM_HORIZON", settings) == "a.b"
    assert seek._event_type("c.d", "TRIM_HORIZON", settings) == "c.d"
    with pytest.raises(Misconfigured, match=r"found 'audit', wanted one of a\.b, c\.d"):
        seek._event_type("audit", "TRIM_HORIZON", settings)
    bare = load_settings({"CONSUMER_APPLICATION": "shop"}, [APPLICATION])
    assert seek._event_type("audit", "TRIM_HORIZON", bare) == "audit"
    with pytest.raises(Misconfigured, match="found '', wanted an event type"):
        seek._event_type("", "TRIM_HORIZON", bare)


@pytest.mark.parametrize(
    ("row", "name", "wanted"),
    [
        (replace(ROW, event_types=("a.b", "c.d")), "a.bb", "one of a.b, c.d"),
        (replace(ROW, event_types=("a.b",), published=("a.b", "old")), "old", None),
        (replace(ROW, event_types=("a.b", "c.d")), "c.d", None),
        (replace(ROW, fingerprint='{"event_type": "a.b"}'), "a.bb", "'a.b'"),
        (ROW, "any", None),  # nothing tells which event types there are
    ],
)
def test_without_routes_in_the_settings_the_stream_says_which_event_types_there_are(
    row: StreamRow, name: str, wanted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk()
    desk.table.streams[ROW.key] = row

    @asynccontextmanager
    async def opened(*_: object) -> AsyncIterator[LeaseTableTwin]:
        yield desk.store

    monkeypatch.setattr(seek, "open_lease_table", opened)
    settings = Settings(table="orders", nakadi_url="http://localhost:1", application="a")
    asked = replace(AGAIN, event_type=name)
    if wanted is None:
        (given,) = run(lambda: seek._prepare(settings, asked))
        assert given.command.event_type == name
        return
    words = f"--event-type: found '{name}', wanted {wanted}: those that the application"
    with pytest.raises(Misconfigured, match=re.escape(words)):
        run(lambda: seek._prepare(settings, asked))
