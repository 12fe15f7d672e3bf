"""An image for the architecture that tasks have."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.ecs.intrinsics import template
from tests.ecs.test_template import README

ROOT = Path(__file__).parents[2]
IMAGES = ("consumer", "lambda", "localdev")
PLATFORMS = {"ARM64": "linux/arm64", "X86_64": "linux/amd64"}


def builds(*variables: str) -> list[str]:
    """The commands that `make images` would run."""
    made = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PLATFORM"}  # of a make that runs this test
    environ = {name: value for name, value in os.environ.items() if name not in made}
    command = ["make", "--dry-run", "--no-print-directory", "images", *variables]
    told = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    return [line for line in told.stdout.splitlines() if line.startswith("docker build ")]


@pytest.mark.parametrize("platform", PLATFORMS.values())
def test_images_are_built_for_the_platform_that_is_named(platform: str) -> None:
    made = builds(f"PLATFORM={platform}")
    assert len(made) == len(IMAGES)
    assert all(f" --platform {platform} " in line for line in made)


def test_images_are_built_for_this_machine_if_none_is_named() -> None:
    assert len(builds()) == len(IMAGES)
    assert not any("--platform" in line for line in builds())


def test_the_image_for_lambda_is_one_manifest() -> None:
    """Lambda refuses an index, which an image with attestations is."""
    (made,) = (line for line in builds() if " --target lambda " in line)
    assert " --provenance=false --sbom=false " in made


def test_the_readme_of_lambda_says_which_platform_its_template_wants() -> None:
    default = template(ROOT / "lambda/function.yaml")["Parameters"]["Architecture"]["Default"]
    assert default == "arm64"
    assert "`make images PLATFORM=linux/arm64`" in (ROOT / "lambda/README.md").read_text()


def test_the_template_and_the_readme_say_which_platform_is_wanted() -> None:
    parameter = template()["Parameters"]["Architecture"]
    wanted = f"PLATFORM={PLATFORMS[parameter['Default']]}"
    assert wanted in parameter["Description"]
    assert f"`make images {wanted}`" in README
