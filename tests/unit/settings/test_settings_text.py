"""`consumer settings`, and the README's table that is made from it."""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path

from consumer.commands import settings as command
from consumer.core.routes.filters.lambda_filter import read_filter_json
from consumer.settings.settings import Settings
from consumer.settings.source import variable

README = Path(__file__).parents[3] / "README.md"
BLOCK = re.compile(r"<!-- settings:begin -->\n(.*?)<!-- settings:end -->", re.DOTALL)


def printed(*, markdown: bool) -> str:
    out = io.StringIO()
    assert command.run(argparse.Namespace(markdown=markdown), {}, out) == 0
    return out.getvalue()


def test_every_setting_has_a_line_with_unit_default_and_meaning() -> None:
    lines = {each.name: each for each in command.setting_lines()}
    assert list(lines) == [variable(name) for name in Settings.model_fields]
    for line in lines.values():
        assert line.unit, line.name
        assert line.default, line.name
        assert len(line.meaning) > 10, line.name
        assert "\n" not in line.meaning
    assert (lines["CONSUMER_TABLE"].unit, lines["CONSUMER_TABLE"].default) == ("name", "unset")
    assert lines["CONSUMER_EVENT_TYPE"].default == "required, or routes"
    assert lines["CONSUMER_DATA_TYPE"].default == "the event type"
    assert lines["CONSUMER_ORDERING_KEY"].default == "the partition key"
    assert lines["CONSUMER_POLL_SECONDS"].default == "0.25"
    assert lines["CONSUMER_PATCH"].default == "true"
    assert lines["CONSUMER_QUEUE_BYTES"].default == "268435456"
    assert lines["CONSUMER_LAYOUT"].default == "flat"
    assert lines["CONSUMER_HTTP_ALLOWED_HOSTS"].default == "none"


def test_the_text_is_aligned_and_ends_with_the_relations() -> None:
    text = printed(markdown=False)
    lines = text.splitlines()
    head = next(line for line in lines if line.startswith("variable"))
    column = head.index("meaning")
    start = lines.index(head)
    for line in lines[start : lines.index("", start)]:
        assert line[column - 1 : column].strip() == ""
        assert line[column : column + 1].strip() != ""
    assert "three heartbeats to fit" in text[text.index("What must hold") :]


def test_markdown_has_one_row_a_setting() -> None:
    rows = [line for line in printed(markdown=True).splitlines() if line.startswith("| `")]
    assert len(rows) == len(Settings.model_fields)
    assert {row.count("|") for row in rows} == {5}


def test_the_filters_of_the_readme_are_filters() -> None:
    texts = re.findall(r"CONSUMER_FILTER='([^']+)'", README.read_text(encoding="utf-8"))
    assert [read_filter_json(text).is_view for text in texts] == [True, False]


def test_the_readme_holds_what_the_command_prints() -> None:
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert [block.strip() for block in blocks] == [printed(markdown=True).strip()] * len(blocks)
