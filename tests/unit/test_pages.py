"""The pages: prose is wrapped at one width, and links lead to files and headings that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WIDTH = 120
"""Of prose. Tables, code, sketches and what a command generates are as wide as they must be."""

PAGES = ("*.md", "docs/**/*.md", "helm/*.md", "ecs/*.md")


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
