"""One DynamoDB made of two: calls about the table go to our streams server, others to the leases'.

A worker has one endpoint for DynamoDB. On our own server a table has streams that split, age and
outlive it; the embedded AWS has the lease table.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.integration.cluster import TABLE, Cluster
from tests.patience import PATIENCE


@contextmanager
def tables_front(made: Cluster) -> Iterator[str]:
    """Serve until the block ends; yields the URL."""

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            mine = self.headers["X-Amz-Target"].endswith("DescribeTable")
            mine = mine and f'"{TABLE}"'.encode() in body
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            request = urllib.request.Request(
                made.streams.url if mine else made.leases_url, body, headers
            )
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                    status, said = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    status, said = error.code, error.read()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Front) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(PATIENCE)
