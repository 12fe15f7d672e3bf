"""A front of the embedded AWS that has a backup of the table, and exports that take their time."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.integration.aws_front import AwsFront, serving

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

    class Front(AwsFront):
        def answer(self, call: str, body: bytes) -> None:
            backup.calls[call] += 1
            if call == "DescribeContinuousBackups":
                self.say(200, _continuous_backups(backup))
                return
            status, said = self.forward(aws_url, body)
            if call == "ExportTableToPointInTime":
                backup.tokens.append(json.loads(body)["ClientToken"])
                if backup.lost_answers:
                    backup.lost_answers -= 1
                    self.close_connection = True
                    return
            if call == "DescribeExport" and not backup.complete:
                said = said.replace(b'"COMPLETED"', b'"IN_PROGRESS"')
            self.say(status, said)

    with serving(Front) as url:
        backup.url = url
        yield backup


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
