"""The images, built once for each process of the tests; without an engine all is skipped.

PYTHON_IMAGE=… in the environment names another base, such as a mirror of the one that the
Dockerfile names.
"""

import pytest

from tests.images.engine import ROOT, TAGS, base, build, docker


@pytest.fixture(scope="session")
def base_image() -> str:
    """The base, as an image of the engine: a build alone leaves none there."""
    tag = f"{TAGS}:base"
    docker("build", "--quiet", "--tag", tag, "-", given=f"FROM {base()}\n")
    return tag


@pytest.fixture(scope="session")
def image() -> str:
    return build("image", ROOT)
