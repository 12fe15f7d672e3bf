"""The image for Lambda: the client calls a handler of ours, and nothing has to be installed."""

import pytest

from tests.images.engine import IMAGE_TESTS, ROOT, build, inspect, python

pytestmark = IMAGE_TESTS

HANDLERS = """
import importlib.metadata, awslambdaric.bootstrap
from consumer import aws_lambda
from consumer.commands.events import redrive_function
print(importlib.metadata.version("awslambdaric"), aws_lambda.relay, aws_lambda.redrive)
"""


@pytest.fixture(scope="module")
def function() -> str:
    return build("lambda", ROOT, "lambda")


def test_the_client_is_started_with_the_relay(function: str) -> None:
    config = inspect(function)["Config"]
    assert config["Entrypoint"] == ["python", "-m", "awslambdaric"]
    assert config["Cmd"] == ["consumer.aws_lambda.relay"]
    assert config["User"] == "65532:65532"


def test_handlers_can_be_imported(function: str) -> None:
    pinned = (
        (ROOT / "requirements/lambda.txt").read_text().split()[0].removeprefix("awslambdaric==")
    )
    assert python(function, HANDLERS).split()[0] == pinned
