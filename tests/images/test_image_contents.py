"""What is in the image, what is not, and what its user may do with it."""

from localdev.ballast import SERVICES
from tests.images.engine import IMAGE_TESTS, docker, inspect, python

pytestmark = IMAGE_TESTS

HARDENED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true")
OFFLINE = {
    "AWS_REGION": "eu-central-1",
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "https://nakadi.example.org",
    "CONSUMER_EVENT_TYPE": "order-store.order",
}
SETUID = """
import os, stat
for folder, _, names in os.walk("/"):
    for name in names:
        path = os.path.join(folder, name)
        if not path.startswith("/proc/") and os.lstat(path).st_mode & (stat.S_ISUID | stat.S_ISGID):
            print(path)
"""
WRITABLE = """
import os
for folder, folders, names in os.walk("/opt"):
    for path in (folder, *(os.path.join(folder, name) for name in names)):
        if not os.path.islink(path) and os.access(path, os.W_OK):
            print(path)
"""
INSTALLERS = """
import shutil, subprocess, sys
find = (
    "import importlib.util as u; "
    "print(*(n for n in ('pip', 'ensurepip', 'setuptools') if u.find_spec(n)))"
)
for python in (sys.executable, sys._base_executable):
    print(python, subprocess.check_output([python, "-c", find], text=True).split())
print(shutil.which("pip"))
"""
BYTECODE = """
import importlib, pkgutil, sys
from pathlib import Path
import consumer
for module in pkgutil.walk_packages(consumer.__path__, "consumer."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
count = 0
for name, module in sorted(sys.modules.items()):
    spec = getattr(module, "__spec__", None)
    if spec and spec.origin and spec.origin.endswith(".py") and spec.origin != "<stdin>":
        count += 1
        cached = Path(spec.cached)
        if not cached.exists() or cached.read_bytes()[4:8] != bytes((1, 0, 0, 0)):
            print(name, spec.origin)
assert count > 500, count
"""
CLIENTS = """
import botocore.session
session = botocore.session.get_session()
for name in {services}:
    print(session.create_client(name, region_name="eu-central-1").meta.endpoint_url)
"""


def test_it_runs_as_a_user_without_rights(image: str) -> None:
    config = inspect(image)["Config"]
    assert config["User"] == "65532:65532"
    assert docker("run", "--rm", *HARDENED, image, "--version").startswith("consumer ")
    assert python(image, WRITABLE) == ""


def test_it_needs_no_shell(image: str) -> None:
    config = inspect(image)["Config"]
    assert (config["Entrypoint"][-1], config["Cmd"]) == ("consumer", ["run"])
    assert config["Healthcheck"]["Test"] == ["CMD", "consumer", "health"]
    shells = ("dash", "bash")
    gone = [word for name in shells for word in ("--volume", f"/dev/null:/usr/bin/{name}:ro")]
    given = [word for name, value in OFFLINE.items() for word in ("--env", f"{name}={value}")]
    checked = docker("run", "--rm", *HARDENED, *gone, *given, image, "check", "--offline")
    assert checked.startswith("settings are fine")


def test_no_program_was_added_that_takes_other_rights(image: str, base_image: str) -> None:
    ours, bases = (set(python(each, SETUID, "--user", "0").split()) for each in (image, base_image))
    assert ours <= bases


def test_nothing_in_it_installs_packages(image: str) -> None:
    *found, program = python(image, INSTALLERS).splitlines()
    assert [line.split(maxsplit=1)[1] for line in found] == ["[]", "[]"]
    assert program == "None"


def test_whatever_the_service_imports_is_compiled(image: str) -> None:
    """And the bytecode has no time in it, so that two builds make the same."""
    assert python(image, BYTECODE) == ""


def test_the_sdk_knows_the_services_that_are_called(image: str) -> None:
    """Also those that only a source of credentials calls."""
    made = python(image, CLIENTS.format(services=sorted(SERVICES))).splitlines()
    assert len(made) == len(SERVICES)
    assert all(url.startswith("https://") and "eu-central-1" in url for url in made)
