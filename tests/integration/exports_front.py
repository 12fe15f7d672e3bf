"""A front of the embedded AWS that has a backup of the table, and exports that take their time."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Backup:
    """What the front says of the backup (epoch seconds) and of exports, and what it was asked.

    Exports are in progress until `complete`. `lost_answers` requests for an export are granted
    without an answer. `tokens` are those of all such requests.
    """

    url: str = ""
    earliest: float = 1.0
    latest: float = 4e9
    complete: bool = False
    lost_answers: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    tokens: list[str] = field(default_factory=list)


@contextmanager
def exports_front(aws_url: str) -> Iterator[Backup]:
    """Serve until the block ends."""
    backup = Backup()

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            call = self.headers["X-Amz-Target"].rpartition(".")[2]
            backup.calls[call] += 1
            if call == "DescribeContinuousBackups":
                self._say(200, _continuous_backups(backup))
                return
            status, said = self._forward(body)
            if call == "ExportTableToPointInTime":
                backup.tokens.append(json.loads(body)["ClientToken"])
                if backup.lost_answers:
                    backup.lost_answers -= 1
                    self.close_connection = True
                    return
            if call == "DescribeExport" and not backup.complete:
                said = said.replace(b'"COMPLETED"', b'"IN_PROGRESS"')
            self._say(status, said)

        def _forward(self, body: bytes) -> tuple[int, bytes]:
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            request = urllib.request.Request(aws_url, body, headers)
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read()

        def _say(self, status: int, said: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Front) as server:
        server.daemon_threads = True
        backup.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield backup
        finally:
            server.shutdown()
            thread.join(PATIENCE)


def _continuous_backups(backup: Backup) -> bytes:
    recovery = {
        "PointInTimeRecoveryStatus": "ENABLED",
        "EarliestRestorableDateTime": backup.earliest,
        "LatestRestorableDateTime": backup.latest,
    }
    return json.dumps(
        {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": recovery,
            }
        }
    ).encode()
