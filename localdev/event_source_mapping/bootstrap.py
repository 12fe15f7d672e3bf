"""The process of a function: it asks the Runtime API for events, and answers for a handler.

It does what the runtime interface client of AWS does, as far as a handler can tell: the handler is
`module.function`, its event is parsed JSON, and an error that it raises is reported.

    AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001 python -m localdev.event_source_mapping.bootstrap HANDLER
"""

import http.client
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from localdev.event_source_mapping.runtime_api import DEADLINE, PREFIX, REQUEST_ID


@dataclass(frozen=True, slots=True)
class Invocation:
    """The context that a handler is given."""

    aws_request_id: str
    deadline: float
    memory_limit_in_mb: str

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds are left."""
        return max(0, int((self.deadline - time.time()) * 1000))


def handler_of(name: str) -> Callable[[object, Invocation], object]:
    """Import `module.function`."""
    module, _, function = name.rpartition(".")
    found: Callable[[object, Invocation], object] = getattr(import_module(module), function)
    return found


def serve(handler: Callable[[object, Invocation], object], api: str) -> None:
    """Run one invocation after the other, until the API ends."""
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
    connection = http.client.HTTPConnection(api)
    while True:
        connection.request("GET", f"{PREFIX}/next")
        found = connection.getresponse()
        event, request = json.loads(found.read()), found.headers[REQUEST_ID]
        deadline = float(found.headers[DEADLINE]) / 1000
        try:
            answer: Any = handler(event, Invocation(request, deadline, memory))
            path, body = "response", json.dumps(answer)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is its answer
            traceback.print_exc()
            path = "error"
            body = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
        connection.request("POST", f"{PREFIX}/{request}/{path}", body=body)
        connection.getresponse().read()


if __name__ == "__main__":
    serve(handler_of(sys.argv[1]), os.environ["AWS_LAMBDA_RUNTIME_API"])
