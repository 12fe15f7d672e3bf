"""The zip for Lambda: what it holds, and that it runs where nothing else is installed."""

import argparse
import platform
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from localdev import lambda_zip
from localdev.lambda_zip import CannotBuild, CannotFetch, compiler, pack, python_version, wanted

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
MB = 1_000_000
IMPORTED = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
from consumer import aws_lambda
from consumer.commands.events import redrive_function
import botocore.session
print(callable(aws_lambda.relay), callable(aws_lambda.redrive), "uvloop" in sys.modules)
session = botocore.session.get_session()
for name in sys.argv[2:]:
    print(session.create_client(name, region_name="eu-central-1").meta.endpoint_url)
for name, module in sys.modules.items():
    place = getattr(module, "__file__", None) or ""
    if name not in before and "site-packages" in place:
        print("not from the zip:", name)
"""


@dataclass(frozen=True, slots=True)
class Built:
    """The zip for this machine, the lines that were said, and a folder with what is in it."""

    zip: Path
    said: list[str]
    folder: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    made = tmp_path_factory.mktemp("dist")
    arch = ARCHITECTURES[platform.machine()]
    try:
        said = list(lambda_zip.build(HERE, arch, made))
    except CannotFetch as error:
        pytest.skip(f"its wheels cannot be fetched: {error}")
    (file,) = made.iterdir()
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    return Built(file, said, folder)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_plain_interpreter_imports_the_handlers(built: Built) -> None:
    services = sorted(lambda_zip.SERVICES)
    command = [sys.executable, "-IS", "-c", IMPORTED, str(built.folder), *services]
    told = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"HOME": "/nonexistent"}
    )
    assert (told.returncode, told.stderr) == (0, "")
    first, *rest = told.stdout.splitlines()
    assert first == "True True False"
    assert len(rest) == len(services)
    assert all(line.startswith("https://") for line in rest)


@pytest.mark.slow
def test_what_is_in_it_and_what_is_not(built: Built) -> None:
    names = {path.name for path in built.folder.iterdir()}
    assert not names & {"uvloop", "bin", "pip", "localdev", "tests"}
    assert {"consumer", "botocore", "orjson"} <= names
    data = built.folder / "botocore" / "data"
    assert {each.name for each in data.iterdir() if each.is_dir()} == lambda_zip.SERVICES
    assert list(built.folder.glob("consumer/__pycache__/aws_lambda.*.pyc")), "no bytecode"
    assert not list(built.folder.rglob("*.pyx"))
    assert (built.folder / "consumer" / "LICENSE").exists()


@pytest.mark.slow
def test_it_says_how_far_it_is_and_how_large_it_is(built: Built) -> None:
    _, count = wanted(lambda_zip.REQUIREMENTS.read_text())
    assert sum(" of " in line for line in built.said) == count
    assert built.zip.stat().st_size < 20 * MB
    assert f"{built.zip.stat().st_size / MB:.1f} MB, unpacked " in built.said[-2]


REQUIREMENTS = """\
orjson==3.13.0 \\
    --hash=sha256:aa
    # via -r requirements/run.in
uvloop==0.23.0 \\
    --hash=sha256:bb
yarl==1.25.1 \\
    --hash=sha256:cc
"""


def test_the_loop_of_the_service_is_left_out() -> None:
    text, count = wanted(REQUIREMENTS)
    assert count == 2
    assert "uvloop" not in text
    assert "sha256:bb" not in text
    assert text.count("--hash") == 2
    with pytest.raises(CannotBuild, match="no markers"):
        wanted("tzdata==1 ; sys_platform == 'win32' \\\n    --hash=sha256:aa\n")


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "content"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "b.py").write_text("b = 1\n")
    (folder / "a.py").write_text("a = 1\n")
    assert pack(folder, tmp_path / "1.zip") == 12
    (folder / "a.py").chmod(0o600)
    (folder / "a.py").touch()
    time.sleep(0.01)
    pack(folder, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        (first, second) = archive.infolist()
    assert (first.filename, second.filename) == ("a.py", "inner/b.py")
    assert first.external_attr >> 16 == 0o100644


def test_a_program_that_is_another_python_compiles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compiler(HERE) == sys.executable
    program = tmp_path / "python3.99"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compiler("3.99") is None
    assert compiler("3.98") is None


@pytest.mark.parametrize("text", ["3.10", "2.7", "3", "3.13.1", "python3.13"])
def test_versions_that_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="or newer"):
        python_version(text)
    assert python_version("3.14") == "3.14"
