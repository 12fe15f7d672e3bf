import os
import shutil
import subprocess
from pathlib import Path

import pytest

from localdev.demo.arguments import Arguments, parse
from localdev.demo.environment import clean, shell_script


def test_nothing_of_the_users_accounts_and_settings_reaches_the_demo() -> None:
    given = {
        "PATH": "/bin",
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL": "https://example.org",
        "CONSUMER_TABLE": "payments",
        "https_proxy": "http://proxy",
        "HTTP_PROXY": "http://proxy",
    }
    assert clean(given) == {
        "PATH": "/bin",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_one_shard_and_one_worker_need_no_streams_server() -> None:
    assert parse([]) == Arguments(duration=20.0, shards=1, workers=1)
    assert not parse([]).splitting
    assert parse(["--shards", "2"]).splitting
    assert parse(["--workers", "2"]).splitting
    routes = parse(["--routes", "--duration", "5"])
    assert (routes.splitting, routes.command) == (False, "make run ROUTES=1 DURATION=5")


@pytest.mark.parametrize("words", ["--duration -1", "--shards 0", "--workers 0", "--duration soon"])
def test_a_mistake_ends_with_code_2(words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words.split())
    assert ended.value.code == 2


def test_it_says_what_a_user_types() -> None:
    assert Arguments(60, 1, 1).command == "make run DURATION=60"
    assert Arguments(60, 8, 3).command == "make run SHARDS=8 WORKERS=3 DURATION=60"


SHELLS = [shell for shell in ("bash", "dash", "zsh") if shutil.which(shell)]


def sourced(shell: str, script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    (directory / "env").write_text(script)
    return subprocess.run(
        (shell, "-c", ". ./env && env"),
        cwd=directory,
        env={
            "PATH": os.environ["PATH"],
            "AWS_PROFILE": "production",
            "CONSUMER_TABLE": "payments",
            "HTTPS_PROXY": "http://proxy",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_gets_the_environment_instead_of_its_own(shell: str, tmp_path: Path) -> None:
    settings = {"AWS_REGION": "x", "CONSUMER_APPLICATION": "it's $HOME, with spaces"}
    done = sourced(shell, shell_script(settings, os.getpid()), tmp_path)
    got = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert done.stderr == ""
    assert {
        name: value for name, value in got.items() if name.startswith(("AWS", "CONS", "HTTPS"))
    } == settings


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_is_told_that_the_demo_has_ended(shell: str, tmp_path: Path) -> None:
    with subprocess.Popen(("true",)) as ended:
        pass
    done = sourced(shell, shell_script({"AWS_REGION": "x"}, ended.pid), tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "the demo has ended, and its servers with it; start it again: make run\n"
    )
