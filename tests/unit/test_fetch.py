"""What tests use beside .venv: fetched by make, told to people, left out where it cannot be had."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests import fetch

MAKEFILE = (fetch.ROOT / "Makefile").read_text()
README = (fetch.ROOT / "README.md").read_text()


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fetch, "MARKS", tmp_path / "fetched")
    return tmp_path / "fetched"


def fetching(monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> None:
    def attempt() -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(fetch, "PARTS", {"ecs": replace(fetch.PARTS["ecs"], fetch=attempt)})
    fetch.fetch("ecs")


@pytest.mark.parametrize(
    ("error", "says", "marked"),
    [
        (None, "cfn-lint: fetched", True),
        (fetch.NotHere("no npm is found"), "left out, because no npm is found", True),
        (fetch.CannotFetch("no route"), "not fetched, next time again: no route", False),
    ],
)
def test_a_part_is_fetched_left_out_or_tried_again(
    marks: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception | None,
    says: str,
    marked: bool,
) -> None:
    fetching(monkeypatch, error)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "fetching cfn-lint from the Python package index, about 16 MB"
    assert says in second
    assert (marks / "ecs").exists() is marked


def test_make_fetches_every_part_and_the_readme_names_it() -> None:
    assert f"$(addprefix .run/fetched/,{' '.join(fetch.PARTS)})" in MAKEFILE
    for part in fetch.PARTS.values():
        assert f"| {part.what} | {part.registry} | {part.megabytes} MB |" in README


def test_a_command_that_fails_is_told_by_its_last_line() -> None:
    with pytest.raises(fetch.CannotFetch, match=r"^second$"):
        fetch.run("sh", "-c", "echo first >&2; echo second >&2; exit 3")
    with pytest.raises(fetch.NotHere, match="no such-program"):
        fetch.needed("such-program")
