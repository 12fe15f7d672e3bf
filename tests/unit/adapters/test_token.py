"""Tokens: read, renewed, kept through a botched rotation, and never shown."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from consumer.adapters.token import PAUSE, FileToken, LiteralToken, NoToken
from consumer.core.lasting import REMIND_SECONDS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("first\n")
    return path


def test_no_token_has_no_header() -> None:
    token = NoToken()
    token.refresh()
    assert token.header(0.0) is None


@pytest.mark.parametrize(
    ("text", "header"), [(" \tx\r\n", "Bearer x"), (" \n", None), ("x\ny", None)]
)
def test_surrounding_white_space_of_a_literal_is_ignored(text: str, header: str | None) -> None:
    token = LiteralToken(text)
    token.refresh()
    assert token.header(0.0) == header


def test_a_file_is_read_and_stripped(file: Path) -> None:
    assert FileToken(file).header(0.0) == "Bearer first"


def test_a_change_is_seen_at_the_next_look(file: Path) -> None:
    token = FileToken(file)
    token.header(0.0)
    file.write_text("second")
    assert token.header(PAUSE / 2) == "Bearer first"
    assert token.header(PAUSE) == "Bearer second"


def test_a_change_of_the_same_length_and_time_is_seen_when_the_file_is_another(file: Path) -> None:
    token = FileToken(file)
    token.header(0.0)
    before = file.stat()
    other = file.with_name("other")
    other.write_text("other\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert token.header(PAUSE) == "Bearer other"


def test_refresh_reads_again_at_once_and_whatever_it_looks_like(file: Path) -> None:
    token = FileToken(file)
    token.header(0.0)
    before = file.stat()
    file.write_text("other\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert token.header(PAUSE) == "Bearer first", "nothing looks changed"
    token.refresh()
    assert token.header(PAUSE) == "Bearer other"


@pytest.mark.parametrize("content", [None, b" \n", b"\xff\xfe", b"two\nwords", b"a\0b", b"a\x7f"])
def test_a_file_that_cannot_be_used_leaves_the_last_token(
    file: Path, content: bytes | None
) -> None:
    token = FileToken(file)
    token.header(0.0)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with capture_logs() as logs:
        assert [token.header(n * PAUSE) for n in (1, 2, 3)] == ["Bearer first"] * 3
    assert [log["event"] for log in logs] == ["token_file_unreadable"], "said once"
    file.write_text("third")
    assert token.header(4 * PAUSE) == "Bearer third"


def test_a_missing_file_is_no_token_until_it_comes(tmp_path: Path) -> None:
    token = FileToken(tmp_path / "token")
    assert token.header(0.0) is None
    (tmp_path / "token").write_text("late")
    assert token.header(PAUSE) == "Bearer late"


def test_a_file_that_stays_away_is_named_again_and_its_return_is_told(file: Path) -> None:
    token = FileToken(file)
    token.header(0.0)
    aside = file.rename(file.with_name("aside"))
    with capture_logs() as logs:
        for now in range(1, int(REMIND_SECONDS) + 10):
            token.header(float(now))
        aside.rename(file)  # the same file, unchanged
        token.header(REMIND_SECONDS + 10)
    told = [(log["event"], log.get("lasts_seconds")) for log in logs]
    assert told == [
        ("token_file_unreadable", None),
        ("token_file_unreadable", REMIND_SECONDS),
        ("condition_over", REMIND_SECONDS + 9),
    ]


def test_no_repr_shows_a_token(file: Path) -> None:
    token = FileToken(file)
    token.header(0.0)
    assert "first" not in repr(token)
    assert "secret" not in repr(LiteralToken("secret"))
