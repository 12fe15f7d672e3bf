"""A server in front of an AWS: what it passes on, and what it says itself."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.patience import PATIENCE


class AwsFront(BaseHTTPRequestHandler):
    """One request of AWS's JSON protocol, which `answer` answers."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(self.headers["X-Amz-Target"].rpartition(".")[2], body)

    def answer(self, call: str, body: bytes) -> None:
        """Answer an operation: `say` something, or nothing."""
        raise NotImplementedError

    def forward(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Pass the request on; return status and body of the answer."""
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        request = urllib.request.Request(url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def say(self, status: int, said: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def serving(front: type[AwsFront]) -> Iterator[str]:
    """Serve until the block ends; yields the URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), front) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(PATIENCE)
