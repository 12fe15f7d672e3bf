"""The command line: runs a command, and turns errors into one line and an exit code.

A command's module is imported when the command runs: `consumer health` runs every few seconds and
must not import the AWS client.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from consumer import __version__, imports
from consumer.commands.events import options
from consumer.errors import Fatal
from consumer.observability import standard_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

DESCRIPTION = "Publish every change of a DynamoDB table to Nakadi, in order per key."
EPILOG = "Settings are CONSUMER_* environment variables; `consumer settings` explains each of them."

_FOLDERS = {
    **dict.fromkeys(("leases", "gaps", "seek", "pause", "resume"), "operate."),
    **dict.fromkeys(("redrive", "event-type", "preview"), "events."),
    **dict.fromkeys(("republish", "snapshot"), "republish."),
    "repair": "repair.",
}
"""The package of a command's module; the other modules are in `consumer.commands` itself."""

USAGE_ERROR = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


class Parser(argparse.ArgumentParser):
    """A parser that prints an error on one line, like every other error."""

    def error(self, message: str) -> NoReturn:
        """Print the error and end the process with exit code 2."""
        self.exit(USAGE_ERROR, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the `consumer` command and end the process with its exit code."""
    standard_streams.prepare()
    sys.exit(execute(sys.argv[1:] if arguments is None else arguments, os.environ))


def execute(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command and return its exit code. A Fatal error becomes one line on stderr."""
    parser = _parser()
    arguments = parser.parse_args(words)
    if arguments.command is None:
        parser.print_help()
        return 0
    try:
        with imports.kept():
            command = import_module(arguments.module)
        code: int = command.run(arguments, environ, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:  # `consumer settings | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Fatal as error:
        return _report(error)
    except BaseExceptionGroup as group:
        fatal = _first_fatal(group)
        if fatal is None:
            raise
        return _report(fatal)
    return code


def _report(error: Fatal) -> int:
    print("consumer:", " ".join(str(error).split()), file=sys.stderr)
    return error.exit_code


def _first_fatal(group: BaseExceptionGroup[BaseException]) -> Fatal | None:
    """Return the first Fatal of a group; None if the group has other errors too."""
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
            name,
            help=text,
            description=f"{text[:1].upper()}{text[1:]}.",
            epilog=EPILOG,
            allow_abbrev=False,
        )
        module = f"{_FOLDERS.get(name, '')}{name.replace('-', '_')}"
        command.set_defaults(module=f"consumer.commands.{module}")
        return command

    run = add("run", "run the service until SIGTERM or SIGINT")
    run.description = (
        "Run the service until SIGTERM or SIGINT. Exit codes: 0 all leases were released; 1 they"
        " were not, or stream or lease table cannot be reached; 2 a setting, or what it names, is"
        " wrong; 143 SIGTERM came before the service held anything."
    )
    _add_check(add("check", "call every dependency and print what works; change nothing"))
    leases = add("leases", "list the shards: state, owner, checkpoint, age, parent")
    leases.description = (
        "List the shards from their rows in the lease table. Age is the time since a shard's own"
        " row, or that of its owner, last showed it settled; an owner speaks for all its shards"
        " together. Below are pauses, and what is wrong with workers."
    )
    leases.add_argument("--json", action="store_true", help="print a list of JSON objects")
    leases.add_argument("--watch", action="store_true", help="repeat every 2 s, until Ctrl-C")
    gaps = add("gaps", "list where records were lost or skipped: from, to, reason, time")
    gaps.add_argument("--json", action="store_true", help="print a list of JSON objects")
    options.add_redrive(add("redrive", "publish the events in the dead letter queue again"))
    options.add_republish(add("republish", "publish again what the table holds of some keys"))
    options.add_snapshot(add("snapshot", "publish what the whole table holds now"))
    options.add_repair(add("repair", "publish again what changed while the stream was not read"))
    _add_operator_commands(add)
    settings = add("settings", "print every setting: name, unit, default, meaning")
    settings.add_argument("--markdown", action="store_true", help="print the table of the README")
    _add_policy(add("iam-policy", "print the smallest IAM policy for these settings, as JSON"))
    event_type = add(
        "event-type", "print a definition of the event type, to create it with, as JSON"
    )
    event_type.add_argument(
        "--route",
        metavar="NAME",
        help="the route, by its name or event type; needed where there are several",
    )
    options.add_preview(
        add("preview", "show what the routes make of stream records, and publish nothing")
    )
    add("health", "ask the service on this host whether it is alive; exit code 0 or 1")
    return parser


def _add_check(check: argparse.ArgumentParser) -> None:
    """Add the description and the options of `check`."""
    check.description = (
        "Call every dependency once, look at what the workers that run say of themselves, and print"
        " what works and what to do about the rest. It changes nothing. The exit code is 2 if"
        " something is wrong, 1 if something does not work now and is worth another try."
    )
    check.add_argument(
        "--offline", action="store_true", help="check the settings, routes and filters only"
    )
    check.add_argument(
        "--mapping",
        metavar="FILE",
        help="call nothing, and judge the event source mapping of a function in Lambda: what `aws"
        " lambda get-event-source-mapping` prints, as JSON",
    )
    check.add_argument(
        "--function",
        metavar="FILE",
        help="with --mapping: judge its function, too, and by its settings: what `aws lambda"
        " get-function-configuration` prints, as JSON",
    )
    check.add_argument(
        "--redrive-by-mapping",
        action="store_true",
        help="a mapping empties the dead letter queue: accept that, and the queue's RedrivePolicy",
    )


def _add_policy(policy: argparse.ArgumentParser) -> None:
    """Add the options of `iam-policy`."""
    policy.add_argument(
        "--for",
        dest="purpose",
        choices=(
            *("run", "redrive", "check", "operate", "preview"),
            *("republish", "touch", "snapshot", "repair", "lambda"),
        ),
        default="run",
        help="what the policy allows: the service (run, the default), redrive, check, preview"
        " --live, republish, its --touch (touch), snapshot, repair, leases, gaps, seek, pause and"
        " resume (operate), or the function in Lambda that does what run does, with its mapping",
    )
    policy.add_argument(
        "--keys", metavar="NAMES", help="for touch: the table's key attributes, comma separated"
    )
    policy.add_argument(
        "--bucket",
        metavar="NAME",
        help="for repair: the bucket of its exports; for lambda: the bucket for what the mapping"
        " throws away",
    )
    policy.add_argument(
        "--log-group",
        metavar="NAME",
        help="for lambda: the log group of the function, or a pattern (default: /aws/lambda/*)",
    )
    policy.add_argument("--prefix", metavar="PREFIX", help="for repair: the prefix of their keys")


def _add_operator_commands(add: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """Add the commands that workers read from the lease table: seek, pause, resume."""
    seek = add("seek", "continue reading at another position: repeat or skip changes")
    seek.add_argument(
        "--to",
        required=True,
        metavar="POSITION",
        help="trim_horizon, latest, a time like 2026-11-01T09:30:00Z, or with one --shard a"
        " sequence number, after which reading continues",
    )
    seek.add_argument(
        "--event-type",
        metavar="NAME",
        help="publish to this event type again from there, and leave the others untouched: for one"
        " that needs changes again, or a new one that needs what the stream still holds (once every"
        " worker has its route). Not with latest",
    )
    pause = add("pause", "stop reading until resume; shards keep their owners")
    resume = add("resume", "continue reading after a pause")
    pause.add_argument(
        "--reason", default="", metavar="TEXT", help="why, for whoever finds the shards paused"
    )
    resume.set_defaults(module="consumer.commands.operate.pause", reason="")
    for command in (seek, pause, resume):
        command.add_argument(
            "--shard", action="append", default=[], help="only this shard (may be repeated)"
        )
        command.add_argument(
            "--dry-run",
            action="store_true",
            help="show the effect on each shard, change nothing",
        )
        asks = "do not ask for confirmation" if command is not resume else "resume never asks"
        command.add_argument("--yes", action="store_true", help=asks)
