"""The token in a secret of the embedded AWS: at the start, after a change, and in commands."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from localdev.event_source_mapping.function import LocalFunction
from tests.integration.cluster import Cluster, cluster, definition
from tests.integration.consumer_process import run_consumer
from tests.integration.mapped import events, mapped


class Vault:
    """One secret, and a Nakadi that accepts one token."""

    def __init__(self, made: Cluster) -> None:
        self.cluster = made
        environment = made.environment()
        self._client = boto3.client(
            "secretsmanager",
            endpoint_url=made.aws.endpoint_url,
            region_name=environment["AWS_REGION"],
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the embedded AWS takes any
        )
        self.arn = self._client.create_secret(Name="nakadi-token", SecretString="first")["ARN"]
        self.accept("first")
        made.settings |= {
            "CONSUMER_NAKADI_TOKEN_SECRET": self.arn,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": made.aws.endpoint_url,
        }

    def accept(self, token: str) -> None:
        self.cluster.nakadi.settings(token_required=True, tokens={token: "good"})

    def put(self, text: str) -> None:
        self._client.put_secret_value(SecretId=self.arn, SecretString=text)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with cluster(tmp_path) as made:
        yield Vault(made)


def test_a_rotated_token_is_used_without_a_restart(vault: Vault) -> None:
    made = vault.cluster
    worker = made.start()
    made.fill(20)
    made.until_settled()
    vault.put("second")
    vault.accept("second")
    made.fill(20)
    verdict = made.until_settled()
    assert verdict.changes == 40
    assert (verdict.duplicated, verdict.out_of_order) == (0, 0)
    assert worker.stop()[0] == 0
    log = worker.log.read_text()
    assert "Bearer" not in log
    assert not worker.events("token_secret_unreadable")


def test_a_function_of_lambda_reads_it_again_after_a_401(vault: Vault) -> None:
    """The secret has an old token when the function begins, and the new one after a refusal."""
    made = vault.cluster
    made.fill(30)
    log = made.folder / "function-0.log"

    async def rotate(_: LocalFunction) -> None:
        while "401" not in log.read_text():
            await asyncio.sleep(0.2)
        await asyncio.to_thread(vault.put, "second")

    with mapped(made, definition("id")) as function:
        function.nakadi.settings(token_required=True, tokens={"second": "good"})
        assert function.run(beside=rotate) == []
        assert len(events(function.nakadi)) == 30


def test_commands_use_it_and_say_what_is_wrong_with_it(vault: Vault) -> None:
    made = vault.cluster
    check = run_consumer(["check"], made.environment())
    assert check.returncode == 0, check.stdout
    assert f"from {vault.arn}" in check.stdout
    vault.put(json.dumps({"token": "first"}))
    for command in (["check"], ["redrive"], ["run"]):
        refused = run_consumer(command, made.environment())
        assert refused.returncode == 2
        said = refused.stdout if command == ["check"] else refused.stderr
        assert "no JSON" in said
        assert "first" not in said
    absent = vault.arn.replace("nakadi-token", "other-token")
    refused = run_consumer(["redrive"], made.environment(CONSUMER_NAKADI_TOKEN_SECRET=absent))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "wanted a secret that exists" in refused.stderr
