"""The image is built by the engine that is here, for the date of the release."""

from pathlib import Path

import pytest

from localdev.release import image

CONTAINERD = "[[driver-type io.containerd.snapshotter.v1]]"
OVERLAY = "[[Backing Filesystem extfs] [Supports d_type true]]"


@pytest.mark.parametrize(
    ("driver", "stores", "can"),
    [
        ("docker", OVERLAY, False),
        ("docker", CONTAINERD, True),
        ("docker-container", OVERLAY, True),
        ("kubernetes", OVERLAY, True),
    ],
)
def test_who_can_write_an_archive(driver: str, stores: str, can: bool) -> None:
    builder = f"Name:          default\nDriver:        {driver}\n\nNodes:\nName: default\n"
    assert image.exports(builder, stores) is can


def test_the_build_is_that_of_the_date() -> None:
    words = image.command(
        Path("/dist/image.tar"), Path("/root"), 1_790_000_000, image.Choice("", "")
    )
    assert "SOURCE_DATE_EPOCH=1790000000" in words
    assert "type=oci,dest=/dist/image.tar,rewrite-timestamp=true" in words
    assert "--platform" not in words
    assert not any(word.startswith("PYTHON_IMAGE") for word in words)


def test_platforms_and_base_are_chosen() -> None:
    choice = image.Choice("linux/amd64,linux/arm64", "python:3.13@sha256:00")
    words = image.command(Path("/dist/image.tar"), Path("/root"), 1_790_000_000, choice)
    assert words[words.index("--platform") + 1] == "linux/amd64,linux/arm64"
    assert "PYTHON_IMAGE=python:3.13@sha256:00" in words


def test_without_an_engine_there_is_no_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(image.CannotExport, match="no Docker engine answers"):
        image.write(tmp_path / "image.tar", tmp_path, 1_790_000_000, image.Choice("", ""))
