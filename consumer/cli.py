"""The command line: finds the command, runs it, and turns errors into one line and an exit code.

Commands are imported when they are called: `consumer health` runs every few seconds and must not
pay for the AWS client.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from consumer import __version__
from consumer.errors import Fatal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

DESCRIPTION = "Publishes every change of a DynamoDB table to Nakadi, in order per key."
EPILOG = "Settings come from CONSUMER_* variables; `consumer settings` explains each of them."

_FOLDERS = {
    **dict.fromkeys(("leases", "gaps", "seek", "pause", "resume"), "operate."),
    **dict.fromkeys(("redrive", "event-type"), "events."),
}
"""Where a command's module stands; the others stand in `consumer.commands` itself."""

MISUSED = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong on one line, like every other error."""

    def error(self, message: str) -> NoReturn:
        """End the process with exit code 2."""
        self.exit(MISUSED, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `consumer` command; ends the process with the command's exit code."""
    sys.exit(execute(sys.argv[1:] if arguments is None else arguments, os.environ))


def execute(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command. Errors for the operator are one line on stderr."""
    parser = _parser()
    arguments = parser.parse_args(words)
    if arguments.command is None:
        parser.print_help()
        return 0
    try:
        code: int = import_module(arguments.module).run(arguments, environ, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:  # `consumer settings | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Fatal as error:
        return _tell(error)
    except BaseExceptionGroup as group:
        fatal = _first_fatal(group)
        if fatal is None:
            raise
        return _tell(fatal)
    return code


def _tell(error: Fatal) -> int:
    print("consumer:", " ".join(str(error).split()), file=sys.stderr)
    return error.exit_code


def _first_fatal(group: BaseExceptionGroup[BaseException]) -> Fatal | None:
    """The error that a task group wrapped, unless something else failed beside it."""
    fatal, other = group.split(Fatal)
    if fatal is None or other is not None:
        return None
    first: BaseException = fatal
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first if isinstance(first, Fatal) else None


def _parser() -> Parser:
    parser = Parser(prog="consumer", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"consumer {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(
            name, help=text, description=text, epilog=EPILOG, allow_abbrev=False
        )
        module = f"{_FOLDERS.get(name, '')}{name.replace('-', '_')}"
        command.set_defaults(module=f"consumer.commands.{module}")
        return command

    add("run", "the service, until SIGTERM or SIGINT")
    check = add("check", "call every dependency once and print what works")
    check.add_argument("--offline", action="store_true", help="the settings only; calls nobody")
    leases = add("leases", "shards: state, owner, checkpoint, age, parent")
    leases.description = (
        "Shards as their rows in the lease table show them. Age is the time since the row last"
        " showed the shard settled; that of an idle shard is renewed every six hours only: /status"
        " of its owner knows better."
    )
    leases.add_argument("--json", action="store_true", help="a list of objects instead of a table")
    leases.add_argument("--watch", action="store_true", help="look every 2 s, until Ctrl-C")
    gaps = add("gaps", "places where records went by unread: from, to, reason, time")
    gaps.add_argument("--json", action="store_true", help="a list of objects instead of a table")
    _add_redrive(add("redrive", "publish what is in the dead letter queue again"))
    _add_operating(add)
    settings = add("settings", "every setting: name, unit, default, meaning")
    settings.add_argument("--markdown", action="store_true", help="the table of the README")
    policy = add("iam-policy", "the least IAM policy for these settings, as JSON")
    policy.add_argument(
        "--for",
        dest="purpose",
        choices=("run", "redrive", "check", "operate"),
        default="run",
        help="whose policy (default: run)",
    )
    add("event-type", "a definition to create the event type with, as JSON")
    add("health", "ask the local /livez; exit code 0 or 1")
    return parser


def _add_operating(add: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """Commands to the workers, which go through the lease table."""
    seek = add("seek", "read on somewhere else: repeats or skips changes")
    seek.add_argument(
        "--to",
        required=True,
        metavar="PLACE",
        help="trim_horizon, latest, a time like 2026-11-01T09:30:00Z, or with one --shard a"
        " sequence number to go on behind",
    )
    pause = add("pause", "read no more until resumed; shards keep their owners")
    resume = add("resume", "read on after a pause")
    resume.set_defaults(module="consumer.commands.operate.pause")
    for command in (seek, pause, resume):
        command.add_argument(
            "--shard", action="append", default=[], help="only this shard (may be given again)"
        )
        command.add_argument(
            "--dry-run", action="store_true", help="say what it would do, shard by shard"
        )
        command.add_argument("--yes", action="store_true", help="do not ask")


def _add_redrive(redrive: argparse.ArgumentParser) -> None:
    redrive.description = (
        "Publishes what is in the dead letter queue again, deletes what was accepted, leaves the"
        " rest. Ends when the queue is empty; 0 when nothing was refused, 1 otherwise."
    )
    redrive.add_argument(
        "--dry-run",
        action="store_true",
        help="print what is in the queue, by reason and event type, and publish nothing",
    )
    redrive.add_argument(
        "--max-messages", metavar="N", help="publish (dry run: list) at most so many letters"
    )
    redrive.add_argument(
        "--since",
        metavar="TIME",
        help="only letters sent to the queue since, like 2026-11-01T09:30:00Z, or 90m, 6h, 3d ago",
    )
    redrive.add_argument(
        "--reason",
        action="append",
        default=[],
        help="only letters with this reason, like validation (may be given several times)",
    )
    redrive.add_argument(
        "--key", help="""only letters of this ordering key: o-4711, or '["o-4711",7]'"""
    )
