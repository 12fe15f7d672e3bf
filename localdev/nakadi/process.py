"""Starts the local Nakadi as a process of its own, for tests, benchmarks and `make run`."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.error import HTTPError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from localdev.nakadi.json_value import Json, JsonObject

_STOP_SECONDS = 5.0
_CALL_SECONDS = 30.0


class RefusedError(Exception):
    """The local Nakadi answered with an error; the text is its body."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status


@dataclass(frozen=True, slots=True)
class NakadiProcess:
    """A running local Nakadi and its control endpoint."""

    url: str
    pid: int

    def create_event_type(self, definition: Mapping[str, object]) -> None:
        """Create an event type; a refusal is a RefusedError."""
        self._call("POST", "/event-types", definition)

    def subscribe(self, owner: str, event_type: str, group: str = "default") -> str:
        """Create a subscription of an event type; return its id."""
        given = {"owning_application": owner, "event_types": [event_type], "consumer_group": group}
        return str(json.loads(self._call("POST", "/subscriptions", given))["id"])

    def delete_event_type(self, name: str) -> None:
        """Delete an event type, and all that is stored in it."""
        self._call("DELETE", f"/event-types/{name}")

    def add_fault(self, **members: object) -> int:
        """Add a fault (see `localdev.nakadi.control.faults.Fault`) and return its number."""
        return int(json.loads(self._call("POST", "/control/faults", members))[0])

    def faults(self) -> list[JsonObject]:
        """Return all faults with their counts."""
        found: list[JsonObject] = json.loads(self._call("GET", "/control/faults"))
        return found

    def remove_faults(self, number: int | None = None) -> None:
        """Remove one fault, or all."""
        self._call("DELETE", "/control/faults" + ("" if number is None else f"/{number}"))

    def settings(self, **values: object) -> None:
        """Change settings of the server while it runs."""
        self._call("POST", "/control/settings", values)

    def log(self, event_type: str, fields: str = "", since: int = 0) -> list[JsonObject]:
        """Return stored events in storage order; `fields` is a comma-separated choice."""
        query = f"?since={since}" + (f"&fields={fields}" if fields else "")
        return self._lines(f"/control/log/{event_type}{query}")

    def requests(self, since: int = 0) -> list[JsonObject]:
        """Return the publishing requests so far, oldest first."""
        return self._lines(f"/control/requests?since={since}")

    def _lines(self, path: str) -> list[JsonObject]:
        return [json.loads(line) for line in self._call("GET", path).splitlines()]

    def _call(self, method: str, path: str, body: Json | Mapping[str, object] = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - always our own http:// URL
            self.url + path,
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_CALL_SECONDS) as answer:  # noqa: S310
                body_read: bytes = answer.read()
        except HTTPError as error:
            with error:
                raise RefusedError(error.code, error.read().decode()) from None
        return body_read


@contextmanager
def local_nakadi(port: int = 0, options: Sequence[str] = ()) -> Iterator[NakadiProcess]:
    """Run a local Nakadi on 127.0.0.1 until the block ends; port 0 takes a free one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "localdev.nakadi", "--port", str(port), *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            url = process.stdout.readline().strip()
            if not url.startswith("http://"):
                raise RuntimeError("the local Nakadi did not start")
            yield NakadiProcess(url, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
