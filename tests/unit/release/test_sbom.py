"""The bill of materials names every package of the image, with its licence."""

import json
import re
from pathlib import Path

import pytest

from localdev.release import sbom


def test_it_names_what_the_image_installs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "dist" / "sbom.json"
    sbom.main(file)
    made = json.loads(file.read_text())
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert made["metadata"]["component"]["name"] == sbom.SERVICE
    listed = {each["name"]: each for each in made["components"]}
    asked = sbom.REQUIREMENTS.with_suffix(".in").read_text()
    wanted = re.findall(r"^([a-z0-9-]+)", asked, re.MULTILINE)
    assert set(wanted) <= listed.keys()
    for each in listed.values():
        assert each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"
        (licence,) = each["licenses"]
        name = licence["license"]["name"]
        assert name != sbom.UNKNOWN, each["name"]
        assert 2 < len(name) < 60, name  # a name, and no text
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(listed) + 1
    assert printed[-1].startswith(f"{file}: {len(listed)} packages of the image")


def test_another_version_than_the_pinned_one_is_no_bill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = tmp_path / "run.txt"
    pins.write_text("aiohttp==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1\n")
    monkeypatch.setattr(sbom, "REQUIREMENTS", pins)
    with pytest.raises(ValueError, match=r"aiohttp: .* is installed, 0\.0\.1 is pinned"):
        tuple(sbom.components())
