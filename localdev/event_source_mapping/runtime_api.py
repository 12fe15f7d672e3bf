"""The Runtime API of one process of a function: it hands out events, and takes the answers.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

import asyncio
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from localdev.event_source_mapping.mapping import Outcome

PREFIX: Final = "/2018-06-01/runtime/invocation"
REQUEST_ID: Final = "Lambda-Runtime-Aws-Request-Id"
DEADLINE: Final = "Lambda-Runtime-Deadline-Ms"
_ARN: Final = "arn:aws:lambda:us-east-1:000000000000:function:consumer"
_BODY_BYTES: Final = 16 * 1024 * 1024


class RuntimeApi:
    """Serves one process at `address`. One event at a time."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[tuple[str, Mapping[str, Any], float]] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[Outcome]] = {}
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        application = web.Application(client_max_size=_BODY_BYTES)
        application.add_routes(
            [
                web.get(f"{PREFIX}/next", self._next),
                web.post(f"{PREFIX}/{{request}}/response", self._response),
                web.post(f"{PREFIX}/{{request}}/error", self._error),
                web.post("/2018-06-01/runtime/init/error", self._init_error),
            ]
        )
        runner = self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.address = f"127.0.0.1:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def invoke(self, event: Mapping[str, Any], seconds: float) -> Outcome:
        """Give an event to the process; return its answer. Raise TimeoutError after `seconds`."""
        request = str(uuid.uuid4())
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._answers[request] = answer
        await self._events.put((request, event, time.time() + seconds))
        try:
            async with asyncio.timeout(seconds):
                return await answer
        finally:
            del self._answers[request]

    async def _next(self, _: web.Request) -> web.Response:
        request, event, deadline = await self._events.get()
        headers = {
            REQUEST_ID: request,
            DEADLINE: str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": _ARN,
            "Content-Type": "application/json",  # with a charset, the client of AWS parses nothing
        }
        return web.Response(body=json.dumps(event).encode(), headers=headers)

    async def _response(self, request: web.Request) -> web.Response:
        body = await request.read()
        self._answer(request, Outcome(json.loads(body) if body else None))
        return web.Response(status=202)

    async def _error(self, request: web.Request) -> web.Response:
        found = json.loads(await request.read() or b"{}")
        self._answer(request, Outcome(error=str(found.get("errorMessage", found))))
        return web.Response(status=202)

    async def _init_error(self, request: web.Request) -> web.Response:
        error = Outcome(error=(await request.read()).decode())
        for answer in self._answers.values():
            answer.set_result(error)
        return web.Response(status=202)

    def _answer(self, request: web.Request, outcome: Outcome) -> None:
        answer = self._answers.get(request.match_info["request"])
        if answer is not None and not answer.done():
            answer.set_result(outcome)
