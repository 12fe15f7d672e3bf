"""One DynamoDB made of two: calls about the table go to our streams server, others to the leases'.

A worker has one endpoint for DynamoDB. On our own server a table has streams that split, age and
outlive it; the embedded AWS has the lease table.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.aws_front import AwsFront, serving
from tests.integration.cluster import TABLE, Cluster


@contextmanager
def tables_front(made: Cluster) -> Iterator[str]:
    """Serve until the block ends; yields the URL."""

    class Front(AwsFront):
        def answer(self, call: str, body: bytes) -> None:
            mine = call == "DescribeTable" and f'"{TABLE}"'.encode() in body
            self.say(*self.forward(made.streams.url if mine else made.leases_url, body))

    with serving(Front) as url:
        yield url
