"""A function of Lambda: processes that are frozen between their invocations.

Any of them may get the next batch, or a new one. A process that takes longer than the function's
time limit is killed; a test may kill it, too.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import IO, Any, Final

from localdev.event_source_mapping.mapping import Outcome
from localdev.event_source_mapping.runtime_api import RuntimeApi

HANDLER: Final = "consumer.aws_lambda.relay"
COMMAND: Final = (sys.executable, "-m", "localdev.event_source_mapping.bootstrap")


@dataclass(slots=True)
class FunctionProcess:
    """One process, its Runtime API, and whether it stands still."""

    api: RuntimeApi
    process: asyncio.subprocess.Process
    busy: bool = False

    async def invoke(self, event: Mapping[str, Any], seconds: float) -> Outcome:
        """Thaw it, run one invocation, and freeze it. A process that dies or is late has failed."""
        self.process.send_signal(signal.SIGCONT)
        ended = asyncio.ensure_future(self.process.wait())
        asked = asyncio.ensure_future(self.api.invoke(event, seconds))
        await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            asked.cancel()
            return Outcome(error="Runtime exited")
        ended.cancel()
        if isinstance(asked.exception(), TimeoutError):
            self.process.kill()
            await self.process.wait()
            return Outcome(error=f"Task timed out after {seconds:g} seconds")
        self.process.send_signal(signal.SIGSTOP)
        return asked.result()

    @property
    def alive(self) -> bool:
        """Whether it can be invoked."""
        return self.process.returncode is None


@dataclass
class LocalFunction:
    """A function in processes of this machine. `settings` are its environment.

    `seconds` is its time limit, `fresh` how often a new process is taken though one is free (0 to
    1), `command` what a process runs; the handler is its last argument.
    """

    settings: Mapping[str, str]
    random: Random
    seconds: float = 120.0
    fresh: float = 0.0
    handler: str = HANDLER
    command: Sequence[str] = COMMAND
    log: IO[bytes] | int | None = None
    processes: list[FunctionProcess] = field(default_factory=list)

    async def invoke(self, event: Mapping[str, Any]) -> Outcome:
        """Run one invocation in a process that is free, or in a new one."""
        free = [each for each in self.processes if each.alive and not each.busy]
        new = not free or self.random.random() < self.fresh
        chosen = await self._start() if new else self.random.choice(free)
        chosen.busy = True
        try:
            return await chosen.invoke(event, self.seconds)
        finally:
            chosen.busy = False

    async def stop(self) -> None:
        """End all processes."""
        for each in self.processes:
            if each.alive:
                each.process.kill()
                await each.process.wait()
            await each.api.stop()

    async def _start(self) -> FunctionProcess:
        api = RuntimeApi()
        await api.start()
        process = await asyncio.create_subprocess_exec(
            *self.command,
            self.handler,
            env={
                "PATH": os.environ["PATH"],
                "AWS_LAMBDA_RUNTIME_API": api.address,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                **self.settings,
            },
            stdout=self.log,
            stderr=self.log,
        )
        started = FunctionProcess(api, process)
        self.processes.append(started)
        return started
