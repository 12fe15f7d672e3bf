"""A tag releases nothing but the version that is here, and that the changelog tells of."""

import subprocess
import sys
from pathlib import Path

import pytest

import consumer
from localdev.release.changelog import NoSection, section
from localdev.release.tag import WrongTag, check

CHANGELOG = """# Changelog

## [Unreleased]

## [1.2.0] - 2026-12-01

### Added
- A thing.

## [1.1.0] - 2026-11-30

## [1.0.0]

- Undated.
"""


@pytest.fixture
def changelog(tmp_path: Path) -> Path:
    file = tmp_path / "CHANGELOG.md"
    file.write_text(CHANGELOG)
    return file


def test_the_version_of_all_may_be_released() -> None:
    check("v1.2.0", "1.2.0", "1.2.0", "1.2.0")


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        (("v1.2.1", "1.2.0", "1.2.0", "1.2.0"), r"the tag is v1\.2\.1, .* is 1\.2\.0: .* v1\.2\.0"),
        (("1.2.0", "1.2.0", "1.2.0", "1.2.0"), r"it must be tagged v1\.2\.0"),
        (("v1.2.0-dev", "1.2.0-dev", "1.2.0-dev", "1.2.0-dev"), "between releases"),
        (("v1.2.0", "1.2.0", "1.1.0", "1.2.0"), r"Chart\.yaml has version 1\.1\.0"),
        (("v1.2.0", "1.2.0", "1.2.0", "1.1.0"), r"appVersion 1\.1\.0"),
    ],
)
def test_another_version_is_named_in_one_line(
    versions: tuple[str, str, str, str], says: str
) -> None:
    with pytest.raises(WrongTag, match=says) as caught:
        check(*versions)
    assert "\n" not in str(caught.value)


def test_the_notes_are_what_stands_below_the_heading(changelog: Path) -> None:
    assert section(changelog, "1.2.0") == "### Added\n- A thing."


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("2.0.0", r"CHANGELOG\.md: a heading '## \[2\.0\.0\] - YEAR-MONTH-DAY' is missing"),
        ("1.1.0", "nothing stands below"),
        ("1.0.0", r"heading '## \[1\.0\.0\]' must be"),
    ],
)
def test_a_version_that_the_changelog_does_not_tell_of(
    changelog: Path, version: str, says: str
) -> None:
    with pytest.raises(NoSection, match=says):
        section(changelog, version)


def test_the_command_refuses_a_tag_in_one_line() -> None:
    command = [sys.executable, "-m", "localdev.release.tag", "v0.0.1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (said,) = done.stderr.splitlines()
    assert said.startswith(
        f"the tag is v0.0.1, but the version in consumer/__init__.py is {consumer.__version__}"
    )
