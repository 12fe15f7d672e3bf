"""What tests use beside .venv: fetched by make, told to people, left out where it cannot be had."""

import os
import shutil
import subprocess
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


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb is found")
def test_prometheus_is_unpacked_also_where_nothing_was_fetched_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tmp_path / "content"
    (content / "DEBIAN").mkdir(parents=True)
    (content / "DEBIAN/control").write_text(
        "Package: prometheus\nVersion: 1\nArchitecture: all\nMaintainer: a\nDescription: b\n"
    )
    (content / "usr/bin").mkdir(parents=True)
    (content / "usr/bin/promtool").touch()
    package = tmp_path / "prometheus_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", content, package], check=True, capture_output=True)
    archive = tmp_path / "archive"  # instead of Debian's, which a unit test does not call
    archive.mkdir()
    (archive / "apt-get").write_text(f"#!/bin/sh\ncp {package} .\n")
    (archive / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{archive}:{os.environ['PATH']}")
    monkeypatch.setattr(fetch, "TOOLS", tmp_path / "new/tools")
    fetch.prometheus()
    assert (tmp_path / "new/tools/prometheus/usr/bin/promtool").exists()
