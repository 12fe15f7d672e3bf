"""The workflows call what people call here, and nothing that may change behind their back."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
TEST = ROOT / ".github/workflows/test.yml"
PYTHONS = yaml.safe_load(TEST.read_text())["jobs"]["test"]["strategy"]["matrix"]["python"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_and_images_are_pinned(file: Path) -> None:
    text = file.read_text()
    actions = re.findall(r"uses: *(.*)", text)
    assert actions
    for each in actions:
        assert re.fullmatch(r"[a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each
    for each in re.findall(r"image[=:] *(\S+/\S+)", text):
        assert re.search(r":\S+@sha256:[0-9a-f]{64}$", each), each


def test_one_action_is_pinned_to_one_commit() -> None:
    pins = {pin for file in WORKFLOWS for pin in re.findall(r"uses: *(.*)", file.read_text())}
    assert len({pin.partition("@")[0] for pin in pins}) == len(pins)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_nothing_is_allowed_that_a_job_does_not_name(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"], name
        assert job["timeout-minutes"] <= 90


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_targets_exist(file: Path) -> None:
    called = re.findall(r"\bmake ([a-z]+)\b", " ".join(runs(file)))
    assert called
    for target in called:
        assert re.search(rf"^{target}: ", MAKEFILE, re.MULTILINE), target


def runs(file: Path) -> list[str]:
    jobs = yaml.safe_load(file.read_text())["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def test_a_change_must_pass_what_it_must_pass_here() -> None:
    here = re.findall(r"^make .*", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert runs(TEST) == here


def test_the_versions_of_python_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    prefix = "Programming Language :: Python :: "
    assert [each.removeprefix(prefix) for each in project["classifiers"]] == PYTHONS
    assert project["requires-python"] == f">={PYTHONS[0]}"


def test_the_release_is_made_with_the_python_of_the_image() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text()
    (python,) = re.findall(r'python-version: "(.*?)"', text)
    (image,) = re.findall(
        r"^ARG PYTHON_IMAGE=python:(3\.\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    assert python == image


def test_pages_name_the_places_to_which_it_publishes() -> None:
    pages = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        ROOT / "helm/README.md",
        ROOT / "ecs/README.md",
    ]
    named = {place for page in pages for place in re.findall(r"ghcr\.io/[\w/-]+", page.read_text())}
    assert named == {
        "ghcr.io/OWNER/dynamodb-nakadi-consumer",
        "ghcr.io/OWNER/charts/dynamodb-nakadi-consumer",
    }
    text = (ROOT / ".github/workflows/release.yml").read_text()
    assert "ghcr.io/${GITHUB_REPOSITORY,,}" in text
    assert "ghcr.io/${GITHUB_REPOSITORY_OWNER,,}/charts" in text
