"""The date of a release is stated, or that of the commit."""

import subprocess
from pathlib import Path

import pytest

from localdev.release.source_date import NoDate, source_date, uncommitted


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("one")
    for command in (
        ("init", "--quiet"),
        ("add", "file"),
        (
            *("-c", "user.name=name", "-c", "user.email=name@example.org"),
            *("commit", "--quiet", "--message", "one", "--date", "2026-01-01T00:00:00Z"),
        ),
    ):
        subprocess.run(
            ["git", *command],
            cwd=tmp_path,
            check=True,
            env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": "2026-02-03T04:05:06Z"},
        )
    return tmp_path


def test_a_stated_date_is_used(repository: Path) -> None:
    assert source_date(repository, {"SOURCE_DATE_EPOCH": "1790000000"}) == 1_790_000_000


@pytest.mark.parametrize("environ", [{}, {"SOURCE_DATE_EPOCH": ""}])
def test_without_one_it_is_when_the_commit_was_made(
    repository: Path, environ: dict[str, str]
) -> None:
    assert source_date(repository, environ) == 1_770_091_506


@pytest.mark.parametrize("stated", ["yesterday", "-1", "1.5", "315532799"])
def test_no_number_of_seconds(repository: Path, stated: str) -> None:
    with pytest.raises(NoDate, match=r"must be a number of seconds, 315532800 \(1980\) or more"):
        source_date(repository, {"SOURCE_DATE_EPOCH": stated})


def test_what_no_commit_has_is_named(repository: Path) -> None:
    assert uncommitted(repository) == ()
    (repository / "file").write_text("two")
    (repository / "new").touch()
    assert uncommitted(repository) == ("file", "new")
