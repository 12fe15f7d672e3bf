"""Environment and file: what counts, what is ignored, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consumer.errors import Misconfigured
from consumer.settings.file import LARGEST_FILE, read_file
from consumer.settings.given import collect
from consumer.settings.settings import Settings
from consumer.settings.source import variable

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = Settings.model_fields


def values(environ: dict[str, str]) -> dict[str, str]:
    return {name: each.text for name, each in collect(environ, KNOWN).items()}


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(Misconfigured) as caught:
        collect(environ, KNOWN)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "consumer.yaml"
    path.write_text(text, encoding="utf-8")
    return {"CONSUMER_CONFIG_FILE": str(path)}


def test_only_variables_with_the_prefix_are_looked_at() -> None:
    assert values({"CONSUMER_TABLE": "orders", "TABLE": "x", "MY_CONSUMER_X": "y"}) == {
        "table": "orders"
    }


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("CONSUMER_POLLS_SECONDS", "CONSUMER_POLL_SECONDS"),
        ("CONSUMER_NAKADI_TOKN", "CONSUMER_NAKADI_TOKEN"),
        ("CONSUMER_Table", "CONSUMER_TABLE"),
        ("CONSUMER_CONFIG_FILES", "CONSUMER_CONFIG_FILE"),
        ("CONSUMER_HTP_PORT", "CONSUMER_HTTP_PORT"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_name(wrong: str, right: str) -> None:
    line = refusal({wrong: "s3cret"})
    assert line.startswith(f"{wrong}: ")
    assert line.endswith(f" {right}")
    assert "s3cret" not in line


@pytest.mark.parametrize("name", ["FOO", "X", "DEBUG", "BATCH_SIZE", "AWS_REGION", ""])
def test_a_name_that_is_like_no_other_gets_no_suggestion(name: str) -> None:
    assert refusal({f"CONSUMER_{name}": "s3cret"}) == (
        f"CONSUMER_{name}: found an unknown variable, wanted one of those that `consumer settings`"
        " prints"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CONSUMER_SERVICE_HOST", "10.0.0.1"),
        ("CONSUMER_SERVICE_PORT", "8080"),
        ("CONSUMER_SERVICE_PORT_HTTP", "8080"),
        ("CONSUMER_PORT", "tcp://10.0.0.1:8080"),
        ("CONSUMER_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("CONSUMER_PORT_8080_TCP_PROTO", "tcp"),
        ("CONSUMER_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("CONSUMER_ORDERS_SERVICE_HOST", "10.0.0.1"),
        ("CONSUMER_ORDERS_SERVICE_PORT_METRICS", "1"),
        ("CONSUMER_ORDERS_PORT_53_UDP_PORT", "53"),
        ("CONSUMER_HTTP_PORT", "tcp://10.0.0.1:8080"),
    ],
)
def test_what_kubernetes_injects_for_a_service_is_ignored(name: str, text: str) -> None:
    assert values({name: text}) == {}


def test_no_setting_of_ours_looks_like_a_service_of_kubernetes() -> None:
    assert values({variable(name): "x" for name in KNOWN}) == dict.fromkeys(KNOWN, "x")


def test_an_address_where_a_setting_is_expected_is_not_swallowed() -> None:
    assert values({"CONSUMER_NAKADI_URL": "tcp://nakadi"}) == {"nakadi_url": "tcp://nakadi"}


def test_an_empty_variable_is_unset() -> None:
    assert values({"CONSUMER_TABLE": "", "CONSUMER_START": "  "}) == {}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "table: from-file\nstart: latest\n")
    assert values({**file, "CONSUMER_TABLE": "from-env"}) == {
        "table": "from-env",
        "start": "latest",
    }


def test_an_empty_variable_does_not_hide_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "table: from-file\n")
    assert values({**file, "CONSUMER_TABLE": ""}) == {"table": "from-file"}


def test_values_of_the_file_are_taken_as_they_are_written(tmp_path: Path) -> None:
    text = """
        # a comment
        start: 2026-11-01T09:30:00Z
        nakadi_token: 0123
        patch: no
        batch_events: 500
        application: null
        data_type:
        table: "null"
        ordering_key: [tenant, order_id]
    """
    assert values(write(tmp_path, text)) == {
        "start": "2026-11-01T09:30:00Z",
        "nakadi_token": "0123",
        "patch": "no",
        "batch_events": "500",
        "table": "null",
        "ordering_key": "tenant,order_id",
    }


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert values(write(tmp_path, "# nothing yet\n")) == {}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("tabel: orders", "perhaps 'table'"),
        ("CONSUMER_TABLE: orders", "perhaps 'table'"),
        ("Nakadi_URL: http://n", "perhaps 'nakadi_url'"),
        ("foo: orders", "wanted one of those that `consumer settings` prints"),
        ("table: {name: orders}", "a plain one"),
        ("ordering_key: [[a], b]", "a plain one"),
        ("table: a\ntable: b", "wanted it once"),
        ("filter: {item: {a: [b]}}", "below `filter: |`; only the filter of a route is YAML"),
        ("filter: [a, b]", "below `filter: |`; only the filter of a route is YAML"),
        ("- table", "key: value"),
        ("just words", "key: value"),
        ("table: [orders", "wanted YAML"),
        ("a: 1\n---\nb: 2", "wanted YAML"),
        ("? {a: b}\n: 1", "a plain one"),
        ("\x00", "wanted YAML"),
    ],
)
def test_what_a_file_must_not_hold(tmp_path: Path, text: str, wanted: str) -> None:
    line = refusal(write(tmp_path, text))
    assert "CONSUMER_" in line
    assert "consumer.yaml" in line or wanted == "a plain one"
    assert wanted in line


def test_a_refused_key_comes_with_its_line(tmp_path: Path) -> None:
    assert "line 2 of " in refusal(write(tmp_path, "table: a\ntabel: b"))


def test_a_syntax_error_does_not_quote_the_file(tmp_path: Path) -> None:
    line = refusal(write(tmp_path, "nakadi_token: *s3cret\n"))
    assert "s3cret" not in line
    assert "line 1, column 15" in line


def test_a_file_that_would_take_minutes_to_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("# " + "x" * LARGEST_FILE)
    with pytest.raises(Misconfigured, match=f"found {LARGEST_FILE + 2} bytes in .*file.yaml, want"):
        read_file(str(path), None)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    line = refusal({"CONSUMER_CONFIG_FILE": str(tmp_path / "absent.yaml")})
    assert "absent.yaml" in line
    assert "No such file" in line
    assert "Is a directory" in refusal({"CONSUMER_CONFIG_FILE": str(tmp_path)})
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"table: caf\xe9")
    assert "UTF-8" in refusal({"CONSUMER_CONFIG_FILE": str(path)})


def test_who_needs_one_setting_does_not_judge_the_others(tmp_path: Path) -> None:
    environ = {**write(tmp_path, "tabel: x\n"), "CONSUMER_HTP_PORT": "1"}
    assert {name: each.text for name, each in collect(environ, None).items()} == {
        "tabel": "x",
        "htp_port": "1",
    }
