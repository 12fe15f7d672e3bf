"""`consumer republish` at the desk: its options, its progress, its file of refused keys."""

import argparse
import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from consumer import cli
from consumer.adapters.clock import AwsClock, SystemClock
from consumer.commands.republish import wanted_items
from consumer.commands.republish.event_type_fitness import Unseen
from consumer.commands.republish.refused_keys import RefusedKeys
from consumer.commands.republish.republishing import (
    Rates,
    Reach,
    confirm,
    run_id,
)
from consumer.commands.republish.service_look import check_prefix
from consumer.commands.republish.wanted_items import wanted_keys
from consumer.commands.run_progress import LINE_SECONDS, RunProgress
from consumer.core.leases.checkpoint import TRIM_HORIZON
from consumer.core.leases.lease import StreamRow
from consumer.core.republish.item_event import Refusal
from consumer.core.republish.subscriptions import Subscription
from consumer.core.republish.table.table_description import TableDescription
from consumer.core.republish.taking_part import taking_part
from consumer.errors import Misconfigured
from consumer.settings.loading import load_settings
from tests.twins.set_clock import SetClock
from tests.twins.table import wire
from tests.unit.core.republish.items import LABEL, RUN, STREAM_ARN, TABLE_ARN, route

LEAST = {
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "http://localhost:1",
    "CONSUMER_EVENT_TYPE": "order-store.order",
}
TABLE = TableDescription("orders", TABLE_ARN, ("pk", "sk"), {"pk": "S", "sk": "N"})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def key(pk: str, sk: int) -> str:
    return json.dumps({"pk": {"S": pk}, "sk": {"N": str(sk)}})


STREAM_ROW = StreamRow("arn", "orders", "2026", None, TRIM_HORIZON, None, True, 0, 0, 0, "f")
PREFIXED = {"CONSUMER_TABLE": "orders", "CONSUMER_STREAM_PREFIX": "b-"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--key, --keys-from or --filter: found none of them"),
        (("--filter", "{}x"), "--filter: "),
        (("--filter", '{"item": {"a": {"S": []}}}'), "--filter: item.a.S"),
        (("--key", "{}", "--rcu", "x"), "--rcu: found 'x', wanted a number above 0"),
        (("--key", "{}", "--max-rate", "inf"), "--max-rate: found 'inf', wanted a number above 0"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.execute(("republish", *words), LEAST) == 2
    errors = capsys.readouterr().err
    assert told in errors
    assert errors.count("\n") == 1


def test_a_key_is_published_once_however_often_it_is_given(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f'{key("a", 1)}\n{{"pk": {{"S": "b"}}}}\n{key("c", 1)}\n')
    again = '{"sk": {"N": "1.0"}, "pk": {"S": "a"}}'
    wanted = wanted_keys([key("a", 1), again], str(file), TABLE)
    assert [json.loads(bytes(each))["pk"]["S"] for each in wanted.keys] == ["a", "c"]
    assert [bytes(each) for each in wanted.partitions] == [b'{"pk":{"S":"b"}}']


def test_too_many_keys_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wanted_items, "KEYS_MAX", 2)
    file = tmp_path / "keys"
    file.write_text("".join(f"{key('a', number)}\n" for number in range(3)))
    with pytest.raises(Misconfigured, match="more than 2 keys"):
        wanted_keys([], str(file), TABLE)


def test_a_refused_key_is_a_line_that_can_be_given_again(tmp_path: Path) -> None:
    file = tmp_path / "refused"
    file.write_text("what was there\n")
    with RefusedKeys(str(file)) as refused:
        refused.write(wire({"pk": {"S": "ä"}}), Refusal("order", "busy", "read 5 times"))
        lines = file.read_text().splitlines()
    assert lines[0] == "what was there"
    assert json.loads(lines[1]) == {
        "key": {"pk": {"S": "ä"}},
        "reason": "busy",
        "event_type": "order",
        "detail": "read 5 times",
    }
    assert wanted_keys([], str(_only(tmp_path, lines[1])), TABLE).partitions


def _only(folder: Path, line: str) -> Path:
    path = folder / "only"
    path.write_text(line)
    return path


def test_without_a_file_it_is_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with RefusedKeys(None) as refused:
        refused.write(wire({"pk": {"S": "a"}}), Refusal("order", "busy"))
    assert json.loads(capsys.readouterr().err)["reason"] == "busy"


@pytest.mark.parametrize("said", [None, "b-"])
def test_a_stream_has_the_prefix_of_its_events(said: str | None) -> None:
    rows = [
        replace(STREAM_ROW, stream_prefix=said),
        replace(STREAM_ROW, table="t2", stream_prefix="c-"),
    ]
    check_prefix(load_settings(PREFIXED, []), STREAM_ROW.key, rows)


@pytest.mark.parametrize("said", ["", "a-"])
def test_with_another_prefix_nothing_is_published(said: str) -> None:
    rows = [replace(STREAM_ROW, stream_prefix=said)]
    with pytest.raises(Misconfigured, match=f"found 'b-', but .* have '{said}'; set that"):
        check_prefix(load_settings(PREFIXED, []), STREAM_ROW.key, rows)


def test_rates_are_those_of_the_options() -> None:
    given = argparse.Namespace(rcu="20", max_rate="1.5")
    assert Rates.of(given) == Rates(20, 1.5)
    assert Rates.of(argparse.Namespace(rcu=None, max_rate=None)) == Rates()


def test_each_run_has_an_id_of_its_own() -> None:
    assert run_id("republish").startswith("republish-2")
    assert run_id("x") != run_id("x")


def test_it_says_whom_it_reaches() -> None:
    routes = route("order"), route("expired", {"userIdentity": {"type": ["Service"]}})
    readers = {
        "order": [Subscription("s-1", "stock", "g"), Subscription("s-2", "mail", "")],
        "none": [],
        "unknown": None,
    }
    participation = taking_part(routes, (), STREAM_ARN, removes=False)
    definitions: dict[str, bytes | Unseen] = {"order": Unseen("no answer"), "none": b"{}"}
    reach = Reach(
        load_settings(LEAST),
        TABLE,
        routes,
        participation,
        RUN,
        readers,
        AwsClock(SystemClock()),
        definitions,
    )
    assert [*reach.lines()] == [
        f"table orders, stream {LABEL}, run run-1",
        "route order: publishes to order",
        (
            "route expired: takes no part, its filter asks for userIdentity.type, and an item is"
            " matched as its INSERT"
        ),
        "order: whether it takes these events could not be seen: no answer",
        "order: read by stock, group g, subscription s-1",
        "order: read by mail, subscription s-2",
        "none: no subscription reads it",
        "unknown: its subscriptions could not be listed",
        "each reader of these event types gets every event",
    ]


@pytest.mark.parametrize(("answer", "goes_on"), [("yes\n", True), ("y\n", False), ("", False)])
def test_on_a_terminal_it_asks(answer: str, goes_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    if goes_on:
        confirm("Publish?")
        return
    with pytest.raises(Misconfigured, match="not confirmed, nothing was published"):
        confirm("Publish?")


def test_progress_is_a_bar_on_a_terminal_and_else_a_line_every_few_seconds() -> None:
    clock, terminal, file = SetClock(), Terminal(), io.StringIO()
    bar, lines = RunProgress(terminal, clock, "republish"), RunProgress(file, clock, "republish")
    for second in range(11):
        clock.seconds = float(second)
        bar.show(second, 10, "x")
        lines.show(second, None, "x")
    bar.close(10, 10, "x")
    lines.close(10, None, "x")
    assert terminal.getvalue().count("\r") == 11
    assert terminal.getvalue().endswith(f"[{'#' * 30}] 10 of about 10: x\n")
    assert file.getvalue() == "republish: 5: x\nrepublish: 10: x\n"
    assert LINE_SECONDS == 5
