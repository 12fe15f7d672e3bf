import os

import pytest

from localdev.demo.environment import clean
from localdev.demo.arguments import Arguments, parse


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


@pytest.mark.parametrize("words", ["--duration -1", "--shards 0", "--workers 0", "--duration soon"])
def test_a_mistake_ends_with_code_2(words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words.split())
    assert ended.value.code == 2
