"""The package of the chart that `make dist` makes is one that Helm would have made."""

import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

import consumer
from localdev.release import chart_package
from tests.chart.tools import Tools
from tests.chart.values_file import CHART

NAME = yaml.safe_load((CHART / "Chart.yaml").read_text())["name"]
VALUES = CHART / "ci" / "minimal-values.yaml"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    file = tmp_path / "ours.tgz"
    chart_package.write(CHART, file, NAME, 1_790_000_000)
    return file


def names(file: Path) -> set[str]:
    with tarfile.open(file) as archive:
        return set(archive.getnames())


def test_each_helm_packs_the_same_files(kit: Tools, package: Path, tmp_path: Path) -> None:
    for helm in kit.helms.values():
        subprocess.run([helm, "package", CHART, "--destination", tmp_path], check=True)
        assert names(tmp_path / f"{NAME}-{consumer.__version__}.tgz") == names(package)


def test_each_helm_reads_it_as_it_reads_the_folder(kit: Tools, package: Path) -> None:
    def told(*command: str | Path) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    for helm in kit.helms.values():
        shown = yaml.safe_load(told(helm, "show", "chart", package))
        assert (shown["name"], shown["version"]) == (NAME, consumer.__version__)
        rendered = [told(helm, "template", "x", each, "-f", VALUES) for each in (package, CHART)]
        assert rendered[0] == rendered[1]


def test_values_of_tests_are_not_in_it(package: Path) -> None:
    assert not any("/ci/" in name for name in names(package))
    assert f"{NAME}/templates/tests/check.yaml" in names(package)


def test_a_pattern_that_means_more_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".helmignore").write_text("docs/*.md\n")
    with pytest.raises(ValueError, match=r"docs/\*\.md.* is no plain name"):
        list(chart_package.files(tmp_path))
