"""The pages: prose is wrapped at one width, and what they link to or name exists."""

from __future__ import annotations

import fnmatch
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WIDTH = 120
"""Of prose. Tables, code, sketches and what a command generates are as wide as they must be."""

PAGES = ("*.md", "docs/**/*.md", "helm/*.md", "ecs/*.md", "lambda/*.md")

CODE = ("consumer", "localdev", "tests", "helm/templates", "ecs", "lambda")
TEXT = {".py", ".yaml", ".tpl", ".txt", ".html"}
NAMES = re.compile(r"`([\w.*-]+(?:/[\w.*-]+)*/?)`")
FILE = re.compile(r"[\w*-]+\.(?:py|md)")
MADE = ".run"  # by `make`: no part of the repository


def pages() -> list[str]:
    found = [path for pattern in PAGES for path in sorted(ROOT.glob(pattern))]
    return [path.relative_to(ROOT).as_posix() for path in found]


def prose(text: str) -> list[tuple[int, str]]:
    """Lines with their numbers, without code, tables, images and generated blocks."""
    kept = []
    code = generated = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            code = not code
        elif match := re.match(r"<!-- \w+:(begin|end) -->", line):
            generated = match[1] == "begin"
        elif not code and not generated and not line.startswith(("|", "![", "    ", "<!--")):
            kept.append((number, line))
    return kept


def anchors(text: str) -> set[str]:
    """Of the headings, as a repository's web page makes them."""
    headings = [line.lstrip("#") for _, line in prose(text) if line.startswith("#")]
    return {
        re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("page", pages())
def test_prose_is_wrapped_at_one_width(page: str) -> None:
    lines = prose((ROOT / page).read_text())
    assert [number for number, line in lines if len(line) > WIDTH] == []


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", text):
        found = (ROOT / page).parent / target if target else ROOT / page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found.read_text()), (target, anchor)


def files() -> list[Path]:
    """All files of the repository, without those that tools keep under hidden names."""
    tops = (path for path in ROOT.iterdir() if not path.name.startswith("."))
    found = (file for top in tops for file in (top.rglob("*") if top.is_dir() else (top,)))
    return [file.relative_to(ROOT) for file in found if file.is_file() and file.suffix != ".pyc"]


@cache
def places() -> frozenset[str]:
    """Every file and folder, as pages name it: from the root, from `consumer/`, or by its name."""
    whole = {path.as_posix() for file in files() for path in (file, *file.parents)}
    inside = {name.removeprefix("consumer/") for name in whole if name.startswith("consumer/")}
    return frozenset(
        whole | inside | {Path(name).name for name in whole if FILE.fullmatch(Path(name).name)}
    )


def is_path(name: str, folder: Path) -> bool:
    """Return whether a word in back-ticks names a place of the repository, or one in a folder."""
    first, slash, _ = name.partition("/")
    if first == MADE or not slash:
        return FILE.fullmatch(name) is not None
    return first in places() or (folder / first).as_posix() in places()


def lost(text: str, folder: Path) -> list[str]:
    """Return the places that a text names and that do not exist, from the root or its folder."""
    named = {name.rstrip("/") for name in NAMES.findall(text) if is_path(name, folder)}
    return sorted(
        name
        for name in named
        if not fnmatch.filter(places(), name) and not list((ROOT / folder).glob(name))
    )


@pytest.mark.parametrize("page", [page for page in pages() if page != "CHANGELOG.md"])
def test_paths_in_a_page_exist(page: str) -> None:
    assert lost((ROOT / page).read_text(), Path(page).parent) == []


def test_pages_and_decisions_that_code_names_exist() -> None:
    numbers = {int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("*.md")}
    wrong = []
    for path in files():
        if not (path.suffix in TEXT and path.as_posix().startswith(CODE)) and path.suffix != ".md":
            continue
        text = (ROOT / path).read_text()
        if path.suffix != ".md" and path.name != Path(__file__).name:
            named = re.findall(r"\bdocs/[\w/-]+\.\w+", text)
            wrong += [f"{path}: {name}" for name in named if not (ROOT / name).exists()]
            wrong += [f"{path}: {name}" for name in lost(text, path.parent)]
        decisions = {int(number) for number in re.findall(r"\bADR (\d+)", text)}
        wrong += [f"{path}: ADR {number}" for number in sorted(decisions - numbers)]
    assert wrong == []


def test_a_path_that_leads_nowhere_is_found() -> None:
    text = "`core/lease.py` `core/leases/lease.py` `docs/gone/` `gone.py` `GET /event-types`"
    assert lost(text, Path()) == ["core/lease.py", "docs/gone", "gone.py"]
