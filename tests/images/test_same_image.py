"""Two builds of the released image have the same bytes, where an engine can write archives."""

import os
from hashlib import file_digest
from pathlib import Path

import pytest

from localdev.release import image

ROOT = Path(__file__).parents[2]
DATE = 1_790_000_000


def digest(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def test_two_builds_of_the_image_are_the_same(tmp_path: Path) -> None:
    choice = image.Choice(platforms="", base=os.environ.get("PYTHON_IMAGE", ""))
    one, two = tmp_path / "one.tar", tmp_path / "two.tar"
    try:
        for file in (one, two):
            image.write(file, ROOT, DATE, choice)
    except image.CannotExport as error:
        pytest.skip(str(error))
    assert digest(one) == digest(two)
