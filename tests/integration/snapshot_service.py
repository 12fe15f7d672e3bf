"""A worker beside which snapshots are made, and what their rows say."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localdev.aws.process import AwsProcess
from localdev.nakadi.process import NakadiProcess
from tests.integration.consumer_process import ConsumerProcess, run_consumer
from tests.integration.republished import Desk
from tests.patience import PATIENCE


class SnapshotService(Desk):
    """The desk, and a worker that reads the table's stream."""

    def __init__(self, aws: AwsProcess, nakadi: NakadiProcess, folder: Path) -> None:
        super().__init__(aws, nakadi, folder)
        self.environ |= {
            "CONSUMER_LEASE_TABLE": f"{self.table}-leases",
            "CONSUMER_HTTP_HOST": "127.0.0.1",
            "CONSUMER_HTTP_PORT": "0",
        }
        self.create_lease_table()
        self._counts: dict[str, int] = {}
        self.processes: list[ConsumerProcess] = []

    def start(self, *words: str) -> ConsumerProcess:
        log = self.folder / f"{words[0]}-{len(self.processes)}.log"
        self.processes.append(ConsumerProcess(words, self.environ, log, log))
        return self.processes[-1]

    def snapshot(self, *words: str) -> tuple[int, str, str]:
        done = run_consumer(["snapshot", *words, "--yes"], self.environ)
        return done.returncode, done.stdout, done.stderr

    def count(self, event_type: str) -> int:
        """How many events of it are stored."""
        known = self._counts.get(event_type, 0)
        self._counts[event_type] = known + len(self.nakadi.log(event_type, "index", known))
        return self._counts[event_type]

    def rows(self) -> list[dict[str, Any]]:
        """The rows of snapshots' segments."""
        found = self.dynamodb.query(
            TableName=self.environ["CONSUMER_LEASE_TABLE"],
            KeyConditionExpression="#a = :a AND begins_with(#k, :k)",
            ExpressionAttributeNames={"#a": "application", "#k": "key"},
            ExpressionAttributeValues={
                ":a": {"S": self.table},
                ":k": {"S": f"snapshot/{self.table}/first/"},
            },
            ConsistentRead=True,
        )
        return list(found["Items"])

    def counted(self) -> int:
        """The items of settled pages."""
        return sum(int(row["items"]["N"]) for row in self.rows())

    def has_counted(self, items: int) -> bool:
        return self.counted() >= items

    def until(self, true: Callable[[], bool], what: str) -> None:
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > PATIENCE:
                logs = [log.read_text()[-1500:] for log in sorted(self.folder.glob("*.log"))]
                raise AssertionError(f"not within {PATIENCE} s: {what}\n" + "\n".join(logs))
            time.sleep(0.3)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.dynamodb.close()
