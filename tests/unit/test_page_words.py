"""The words of the pages are those of the code: settings, metrics, commands, reasons."""

from __future__ import annotations

import argparse
import ast
import re
from functools import cache

import pytest

from consumer.adapters import nakadi
from consumer.adapters.aws import aws_errors
from consumer.cli import _parser
from consumer.core.leases.lease_state import LeaseState
from consumer.core.reports.status import EVENT_TYPE_STATES
from consumer.core.reports.worker_state import WorkerState
from consumer.core.shard.gap import GAP_REASONS
from consumer.core.shard.shard_state import ShardState
from consumer.settings.settings import Settings
from tests.unit.observability.test_metrics import PUBLIC
from tests.unit.test_pages import ROOT, pages

PAGES = [page for page in pages() if page != "CHANGELOG.md"]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
OTHER_VARIABLES = {"CONSUMER_CONFIG_FILE"}
WORD = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
COMMAND = re.compile(r"(?:^|`|-- |bin/)consumer ([a-z-]+)((?: [^`|;#\n]*)?)", re.MULTILINE)
SUFFIXES = ("_bucket", "_count", "_sum")


@cache
def source() -> frozenset[str]:
    """Every word of the program, the stand-ins and the tests."""
    folders = ("consumer", "localdev", "tests/simulation")
    texts = [path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return frozenset(re.findall(r"\w+", "\n".join(texts)))


def chapter(name: str) -> str:
    return RUNBOOK.split(f"\n## {name}\n")[1].split("\n## ")[0]


def named(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def first_cells(text: str) -> set[str]:
    """The words in back-ticks in the first column of the tables of a chapter."""
    cells = re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)
    return {word for cell in cells for word in named(cell)}


def constants(path: str, call: str, place: int) -> set[str]:
    """The texts that a module passes to a call at this place."""
    module = ast.parse((ROOT / path).read_text())
    calls = (node for node in ast.walk(module) if isinstance(node, ast.Call))
    passed = (node.args[place] for node in calls if ast.unparse(node.func) == call)
    return {str(each.value) for each in passed if isinstance(each, ast.Constant)}


@pytest.mark.parametrize("page", PAGES)
def test_settings_and_metrics_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    variables = {f"CONSUMER_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    assert set(re.findall(r"\bCONSUMER_[A-Z_]*[A-Z]\b", text)) <= variables
    metrics = {f"consumer_{name}" for name in PUBLIC}
    metrics |= {name.removesuffix(end) for name in metrics for end in SUFFIXES}
    used = set(re.findall(r"\bconsumer_[a-z_]*[a-z]\b", text)) - {"consumer_worker"}
    assert used <= metrics


@pytest.mark.parametrize("page", PAGES)
def test_words_in_back_ticks_are_words_of_the_code(page: str) -> None:
    words = set(WORD.findall((ROOT / page).read_text()))
    assert {word for word in words if not word.startswith("consumer_")} <= source()


@pytest.mark.parametrize("page", PAGES)
def test_commands_have_the_options_that_are_named(page: str) -> None:
    (commands,) = (
        action.choices
        for action in _parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    for name, rest in COMMAND.findall((ROOT / page).read_text()):
        assert name in commands, name
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in commands[name]._option_string_actions, (name, option)


def test_the_runbook_has_every_reason_why_a_request_to_nakadi_fails() -> None:
    reasons = {reason for _, reason in nakadi._BROKEN} | {"error"}
    for path in ("adapters/nakadi.py", "core/publishing/answer.py"):
        reasons |= constants(f"consumer/{path}", "no_answer", 0)
    assert reasons <= first_cells(chapter("ConsumerPublishErrors"))


def test_the_runbook_has_every_reason_why_a_call_of_aws_fails() -> None:
    reasons = {reason for _, reason in aws_errors._BROKEN} | {*aws_errors._REASONS.values()}
    reasons |= {"error", "refused", "server_error"}  # reason_of
    assert reasons <= first_cells(chapter("ConsumerLeasesUnowned"))


def test_the_runbook_has_every_reason_of_lost_changes() -> None:
    lost = {*GAP_REASONS} - {"seek"}
    assert lost == first_cells(chapter("ConsumerChangesLost"))


def test_the_runbook_has_the_states_of_workers_and_leases() -> None:
    tables = [part.split("\n\n")[0] for part in chapter("States").split("\n| state of a ")[1:]]
    workers, leases = tables
    assert first_cells(workers) == {*WorkerState, "silent", "unreadable"}
    told = set(re.findall(r"^\| ([^|]*) \| ([^|]*) \|", leases, re.MULTILINE))
    pairs = {
        (mine, shown) for cell, words in told for mine in named(cell) for shown in named(words)
    }
    assert pairs == {(state.in_status, state.in_command) for state in LeaseState}
    words = named(chapter("States"))
    assert {*ShardState} | {str(state) for state in EVENT_TYPE_STATES} <= words
