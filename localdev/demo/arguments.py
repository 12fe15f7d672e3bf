"""The command line of the demo."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arguments:
    """The options. `duration` is in seconds, 0 until Ctrl-C."""

    duration: float
    shards: int
    workers: int
    routes: bool = False

    @property
    def splitting(self) -> bool:
        """Whether the table is in our own streams server, whose shards split."""
        return self.shards > 1 or self.workers > 1

    @property
    def command(self) -> str:
        """What a user types to ask for it."""
        shape = f"SHARDS={self.shards} WORKERS={self.workers} " if self.splitting else ""
        routes = "ROUTES=1 " * self.routes
        return f"make run {routes}{shape}DURATION={self.duration:g}"


def parse(words: Sequence[str] | None = None) -> Arguments:
    """Return the options; end the process with code 2 if they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m localdev.demo",
        description="Run the consumer between a table and a local Nakadi, and count what arrives.",
        epilog="The exit code is 1 if a change was lost or came out of order.",
    )
    parser.add_argument(
        "--duration", type=float, default=20.0, help="seconds (default 20); 0: until Ctrl-C"
    )
    parser.add_argument(
        "--shards", type=int, default=1, help="number of shards; more than one: they split"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="number of consumers that share the shards"
    )
    parser.add_argument(
        "--routes", action="store_true", help="two event types out of one table (routes.yaml)"
    )
    asked = Arguments(**vars(parser.parse_args(words)))
    if asked.duration < 0 or asked.shards < 1 or asked.workers < 1:
        parser.error("wanted a duration of 0 or more, one shard or more, one worker or more")
    return asked
