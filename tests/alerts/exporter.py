"""Tells Prometheus what CloudWatch and Kubernetes would."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

AGE = 'aws_sqs_approximate_age_of_oldest_message_maximum{dimension_QueueName="dead-letters"}'


class Exporter:
    """`address` is host and port."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._age: Callable[[], float | None] = lambda: None
        self._jobs: list[str] = []
        self._runs = 0

    def queue(self, age: Callable[[], float | None]) -> None:
        """From now on the queue has an oldest message."""
        self._age = age

    def job(self, *, failed: bool) -> None:
        """A run of the CronJob has ended."""
        self._runs += 1
        of = f'{{namespace="local",job_name="local-dynamodb-nakadi-consumer-redrive-{self._runs}"}}'
        self._jobs.append(f"kube_job_created{of} {time.time()}")
        self._jobs.append(f"kube_job_status_failed{of} {int(failed)}")
        if not failed:
            of = '{namespace="local",cronjob="local-dynamodb-nakadi-consumer-redrive"}'
            self._jobs.append(f"kube_cronjob_status_last_successful_time{of} {time.time()}")

    def text(self) -> str:
        age = self._age()
        return "\n".join([*([f"{AGE} {age}"] if age is not None else []), *self._jobs]) + "\n"


@contextmanager
def exporter() -> Iterator[Exporter]:
    """One on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = told.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told = Exporter(f"127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
