"""An endpoint of DynamoDB that refuses some operations, as IAM does to a role without the right."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.patience import PATIENCE

PASSED_ON = ("content-type", "x-amz-target", "authorization", "x-amz-date", "x-amz-security-token")
ROLE = "arn:aws:sts::123456789012:assumed-role/relay/i-1"


def words(operation: str) -> str:
    """What AWS says."""
    return f"User: {ROLE} is not authorized to perform: dynamodb:{operation}"


class RefusingProxy(ThreadingHTTPServer):
    """`refused` are the operations that are refused from now on."""

    daemon_threads = True

    def __init__(self, endpoint_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.endpoint = urlsplit(endpoint_url)
        self.refused: frozenset[str] = frozenset()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RefusingProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        operation = self.headers["x-amz-target"].rpartition(".")[2]
        if operation in self.server.refused:
            error = {"__type": "com.amazon.coral.service#AccessDeniedException"}
            answer = json.dumps(error | {"Message": words(operation)}).encode()
            self._answer(400, "application/x-amz-json-1.0", answer)
            return
        endpoint = self.server.endpoint
        there = http.client.HTTPConnection(endpoint.hostname or "", endpoint.port, timeout=PATIENCE)
        try:
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            there.request("POST", "/", body, headers)
            answered = there.getresponse()
            kind = answered.headers.get("content-type", "application/x-amz-json-1.0")
            self._answer(answered.status, kind, answered.read())
        finally:
            there.close()

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@contextmanager
def refusing_proxy(endpoint_url: str) -> Iterator[RefusingProxy]:
    """Serve in a thread until the block ends."""
    with RefusingProxy(endpoint_url) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
