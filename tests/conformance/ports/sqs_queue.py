"""A queue of a real server, behind a proxy, for the suites of the dead letter ports."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest

from consumer.adapters.aws.aws import Aws
from localdev.aws.process import AwsProcess
from tests.crash.proxy import Proxy, proxy

_queues = count()


@asynccontextmanager
async def sqs_queue(
    server: AwsProcess, use_aws: pytest.MonkeyPatch, attributes: Mapping[str, str]
) -> AsyncIterator[tuple[Any, str, Proxy]]:
    """Make a queue; yield a client, the queue's URL and the proxy in between."""
    for variable, value in server.environment().items():
        use_aws.setenv(variable, value)
    with proxy(server.endpoint_url) as way:
        use_aws.setenv("AWS_ENDPOINT_URL", way.url)
        async with Aws() as aws:
            sqs = await aws.sqs()
            name = f"letters-{next(_queues)}"
            created = await sqs.create_queue(QueueName=name, Attributes=dict(attributes))
            yield sqs, created["QueueUrl"].replace(server.endpoint_url, way.url), way
