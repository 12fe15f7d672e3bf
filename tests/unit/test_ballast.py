"""What is taken out of the image: nothing that the service or the SDK's credentials load."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import aiobotocore
import botocore
import pytest
import uvloop.loop

from localdev.ballast import SERVICES, loaded, remove

ROOT = Path(__file__).parents[2]
SDK = [Path(package.__file__).parent for package in (botocore, aiobotocore)]
CREDENTIALS = ("credentials.py", "session.py", "tokens.py")
"""Where the SDK makes clients of its own accord: to get credentials and tokens."""

CLIENT = re.compile(
    r"""(?:create_client|client_creator|nested_client|\._open)\((?:self\._session,)?\s*["']([a-z0-9-]+)["']"""
)


def services_called() -> set[str]:
    """The services for which the service, or the SDK on its way to credentials, makes a client."""
    ours = (ROOT / "consumer").rglob("*.py")
    theirs = (folder / name for folder in SDK for name in CREDENTIALS)
    return {
        name
        for path in (*ours, *theirs)
        if path.exists()
        for name in CLIENT.findall(path.read_text())
    }


def environment(folder: Path, *services: str) -> Path:
    """An environment with botocore's descriptions of services and what lies beside them."""
    data = folder / "lib/python3.13/site-packages/botocore/data"
    for name in services:
        (data / name / "2012-08-10").mkdir(parents=True)
        (data / name / "2012-08-10/service-2.json.gz").write_bytes(b"description")
    (data / "endpoints.json").write_text("{}")
    return data


def test_the_services_that_are_kept_are_those_that_are_called() -> None:
    assert services_called() == SERVICES


def test_other_services_go_and_what_belongs_to_none_stays(tmp_path: Path) -> None:
    data = environment(tmp_path, *SERVICES, "ec2", "lambda")
    remove(tmp_path)
    assert {each.name for each in data.iterdir()} == SERVICES | {"endpoints.json"}
    assert len(list(data.rglob("service-2.json.gz"))) == len(SERVICES)


def test_a_service_that_is_not_described_is_no_success(tmp_path: Path) -> None:
    environment(tmp_path, *(SERVICES - {"sts"}), "ec2")
    with pytest.raises(ValueError, match="describes no sts"):
        remove(tmp_path)


def test_sources_of_extension_modules_go_and_python_stays(tmp_path: Path) -> None:
    for name in ("a.py", "a.pyx", "a.c", "a.pyi", "py.typed", "cacert.pem"):
        (tmp_path / name).touch()
    remove(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {"a.py", "py.typed", "cacert.pem"}


@pytest.mark.skipif(sys.platform != "linux", reason="extension modules are no ELF files here")
def test_a_module_without_debug_information_loads_and_works(tmp_path: Path) -> None:
    module = Path(uvloop.loop.__file__)
    folder = tmp_path / "uvloop"
    shutil.copytree(module.parent, folder)
    remove(folder)
    assert (folder / module.name).stat().st_size < module.stat().st_size / 2
    assert not list(folder.glob("*.pyx"))
    program = (
        "import asyncio, uvloop;"
        "assert uvloop.__file__.startswith(__import__('sys').path[0]);"
        "print(uvloop.run(asyncio.sleep(0, 'works')))"
    )
    told = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {program}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout == "works\n", told.stderr


def elf(*segments: tuple[int, int], length: int) -> bytes:
    """A file with segments at these offsets and lengths, and sections at its end."""
    header = bytearray(64 + 56 * len(segments))
    header[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<QQ", header, 0x20, 64, length - 64)
    struct.pack_into("<HHHHHH", header, 0x34, 64, 56, len(segments), 64, 1, 0)
    for number, (offset, size) in enumerate(segments):
        struct.pack_into("<Q", header, 64 + 56 * number + 8, offset)
        struct.pack_into("<Q", header, 64 + 56 * number + 32, size)
    return bytes(header).ljust(length, b"x")


def test_nothing_is_cut_off_that_a_segment_holds() -> None:
    whole = elf((0, 400), (700, 100), (500, 100), length=1000)
    cut = loaded(whole)
    assert len(cut) == 800
    assert cut[0x28:0x30] == bytes(8)
    assert cut[0x3C:0x40] == bytes(4)
    assert cut[0x40:] == whole[0x40:800]
    assert len(loaded(elf((0, 400), (700, 300), length=1000))) == 1000


@pytest.mark.parametrize("start", [b"", b"MZ", b"\x7fELF\x01\x01", b"\x7fELF\x02\x02"])
def test_a_file_of_another_kind_stays_as_it_is(start: bytes) -> None:
    assert loaded(start + b"abc") == start + b"abc"


def test_the_script_needs_the_standard_library_only(tmp_path: Path) -> None:
    (tmp_path / "a.pyx").touch()
    subprocess.run([sys.executable, "-IS", ROOT / "localdev/ballast.py", tmp_path], check=True)
    assert not list(tmp_path.iterdir())
