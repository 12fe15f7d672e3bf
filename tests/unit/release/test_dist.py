"""`make dist` makes the same bytes wherever, whenever and by whomever it is called."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
VENV = Path(sys.prefix)
DATE = "1790000000"
NO_ENGINE = "tcp://127.0.0.1:1"
OF_AN_OUTER_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SOURCE_DATE_EPOCH"}


def copy(target: Path, mode: int, mtime: int) -> None:
    """The files that git knows, or would; with another mode and time than here."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in sorted(filter(None, told.stdout.split("\0")), reverse=mtime % 2 == 1):
        if (ROOT / name).is_file():  # it may be deleted, and not committed yet
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
            (target / name).chmod(mode | ((ROOT / name).stat().st_mode & 0o100))
            os.utime(target / name, (mtime, mtime))


def make_dist(
    folder: Path, environ: Mapping[str, str], umask: int = 0o022
) -> subprocess.CompletedProcess[str]:
    """Call make with the environment that these tests run in; no engine is asked for an image."""
    inherited = {name: value for name, value in os.environ.items() if name not in OF_AN_OUTER_MAKE}
    return subprocess.run(
        ["make", "dist", f"VENV={VENV}", f"--old-file={VENV}/.installed"],
        cwd=folder,
        env={**inherited, "DOCKER_HOST": NO_ENGINE, **environ},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    copy(folder, 0o644, 1_700_000_000)
    made = make_dist(folder, {"SOURCE_DATE_EPOCH": DATE, "LC_ALL": "C", "TZ": "UTC"})
    assert made.returncode == 0, made.stderr
    assert "the image is left out: no Docker engine answers" in made.stdout
    return folder


def test_it_makes_the_same_bytes_twice(one: Path, tmp_path: Path) -> None:
    two = tmp_path / "elsewhere" / "deeper"
    copy(two, 0o600, 1_600_000_001)
    (two / "dist").mkdir()
    (two / "dist" / "left-over.whl").touch()
    differently = {"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    made = make_dist(two, {"SOURCE_DATE_EPOCH": DATE, **differently}, umask=0o077)
    assert made.returncode == 0, made.stderr
    assert (two / "dist/SHA256SUMS").read_text() == (one / "dist/SHA256SUMS").read_text()


def test_the_checksums_are_those_of_all_files(one: Path) -> None:
    dist = one / "dist"
    names = {line.split("  ")[1] for line in (dist / "SHA256SUMS").read_text().splitlines()}
    assert names == {file.name for file in dist.iterdir()} - {"SHA256SUMS"}
    assert {Path(name).suffix for name in names} == {".whl", ".gz", ".tgz", ".json", ".txt"}
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=dist, check=True)


def test_the_source_distribution_builds_the_same_wheel(one: Path, tmp_path: Path) -> None:
    (source,) = (one / "dist").glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"],
        cwd=folder,
        env={**os.environ, "SOURCE_DATE_EPOCH": DATE},
        check=True,
        capture_output=True,
    )
    (again,) = (folder / "dist").glob("*.whl")
    assert again.read_bytes() == (one / "dist" / again.name).read_bytes()


def test_without_a_date_it_says_so_in_one_line(one: Path, tmp_path: Path) -> None:
    copy(tmp_path, 0o644, 1_700_000_000)
    made = make_dist(tmp_path, {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    said, of_make = made.stderr.splitlines()
    assert said.startswith("SOURCE_DATE_EPOCH is not set")
    assert of_make.startswith("make: ***")
    assert not (tmp_path / "dist").exists()


def test_made_with_names_what_decides_about_the_bytes(one: Path) -> None:
    lines = (one / "dist/made-with.txt").read_text().splitlines()
    assert lines[0] == f"SOURCE_DATE_EPOCH: {DATE}"
    assert [line.partition(":")[0] for line in lines[1:]] == [
        *("python", "zlib", "hatchling", "platforms", "base"),
    ]
