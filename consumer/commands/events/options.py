"""The options of the commands that show, make or repeat events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_preview(preview: argparse.ArgumentParser) -> None:
    """Add the options of `preview`."""
    preview.description = (
        "Show what the routes make of stream records: the events of those that take a record, and"
        " for the others the first condition that failed. Nothing is published; neither Nakadi nor"
        " the lease table is called. At the end, routes that took nothing and paths that no record"
        " had are named on stderr. The events hold what is in the items; reasons hold no value."
    )
    source = preview.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--records",
        metavar="FILE",
        help="stream records as GetRecords answers them, one a line, or the event of a Lambda"
        " function; - is stdin",
    )
    source.add_argument(
        "--live",
        metavar="SECONDS",
        help="read what is written to the table for so long (1 to 600), without leases, after a"
        " question: a third reader of a stream throttles all",
    )
    preview.add_argument("--json", action="store_true", help="print a JSON object for each record")
    preview.add_argument("--yes", action="store_true", help="with --live: do not ask")


def add_redrive(redrive: argparse.ArgumentParser) -> None:
    """Add the options of `redrive`."""
    redrive.description = (
        "Publish the events in the dead letter queue again, those of all routes. Accepted ones are"
        " deleted from the queue, the others stay. The command ends when the queue is empty. The"
        " exit code is 1 if a letter was refused again, if an accepted one could not be deleted, or"
        " if the run ended early, for all event types or one: Nakadi or the queue did not answer,"
        " publishing is stopped, or SIGTERM. Letters of which no event can be made stay and do not"
        " count. An event that its route would not make so today is made again from its record."
    )
    redrive.add_argument(
        "--dry-run",
        action="store_true",
        help="print what is in the queue, by reason and event type, and publish nothing",
    )
    redrive.add_argument(
        "--list",
        action="store_true",
        help="with --dry-run: print a line for each letter: key (as a hash), sequence, age,"
        " receptions, reason, route, detail",
    )
    redrive.add_argument(
        "--json", action="store_true", help="with --list: print a JSON object for each letter"
    )
    redrive.add_argument(
        "--show-keys",
        action="store_true",
        help="with --list: print the ordering keys; they are item data, as is what a log keeps of"
        " this output",
    )
    redrive.add_argument(
        "--max-messages", metavar="N", help="publish at most N letters (with --dry-run: list)"
    )
    redrive.add_argument(
        "--since",
        metavar="TIME",
        help="only letters sent to the queue since a time like 2026-11-01T09:30:00Z, or since 90m,"
        " 6h or 3d ago",
    )
    redrive.add_argument(
        "--reason",
        action="append",
        default=[],
        help="only letters with this reason, like validation (may be repeated)",
    )
    redrive.add_argument(
        "--key", help="""only letters of this ordering key: o-4711, or '["o-4711",7]'"""
    )
    redrive.add_argument(
        "--as-made",
        action="store_true",
        help="publish an event as it is where its route has changed since and the letter has no"
        " record; it may show what the route leaves out today",
    )


def add_republish(republish: argparse.ArgumentParser) -> None:
    """Add the options of `republish`."""
    republish.description = (
        "Publish again what the table holds of some keys now: each is read twice, four seconds"
        " apart, and published as data_op S, or as D if it is gone, through the routes that would"
        " take its INSERT. It says first whom it reaches, and asks. The exit code is 1 if something"
        " was refused, or if the run ended early: Nakadi or the table did not answer, publishing is"
        " stopped, or SIGTERM. A deletion of which only the key is known goes only to routes that"
        " are named with --route."
    )
    republish.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="JSON",
        help="""a key as DynamoDB writes it, '{"pk": {"S": "o-4711"}}' (may be repeated); the"""
        " partition key alone stands for all its items",
    )
    republish.add_argument(
        "--keys-from",
        metavar="FILE",
        help="such keys, one a line; what --refused has written is read, too",
    )
    republish.add_argument(
        "--filter",
        metavar="PATTERN",
        help="""all items that a filter takes, such as '{"item": {"kind": {"S": ["ORDER"]}}}', in"""
        " the language of routes; the whole table is read",
    )
    republish.add_argument(
        "--touch",
        action="store_true",
        help="instead of publishing, write CONSUMER_TOUCH_ATTRIBUTE to each item that exists: the"
        " service publishes this change as U, in its exact place, and without the attribute. For"
        " readers that keep the last event by arrival, or have a key wrong by their own fault",
    )
    republish.add_argument(
        "--wcu",
        metavar="N",
        help="with --touch: use at most N write units a second (default: a tenth of what is"
        " provisioned, 100 on demand)",
    )
    republish.add_argument(
        "--only-writer-region",
        action="store_true",
        help="with --touch, for a table with replicas: all writes are made in this Region",
    )
    add_publishing_options(republish)


def add_snapshot(snapshot: argparse.ArgumentParser) -> None:
    """Add the options of `snapshot`."""
    snapshot.description = (
        "Publish what the whole table holds now, as data_op S, through the routes that would take"
        " the items' INSERT. The service has to run meanwhile: what changes reaches readers by the"
        " stream. Several processes share a snapshot by its --id, and whoever gives it again goes"
        " on where it stands. It says first whom it reaches, what it costs and how long it takes,"
        " and asks. The exit code is 1 if something was refused, or if it ended early: Nakadi, the"
        " table or the lease table did not answer, publishing is stopped, or SIGTERM."
    )
    snapshot.add_argument(
        "--id",
        metavar="ID",
        help="begin the snapshot of this name, or go on with it (default: a new name). Its rows"
        " stay in the lease table for 35 days, and hold key values",
    )
    snapshot.add_argument(
        "--again",
        action="store_true",
        help="begin an --id anew that has ended; to sweep readers, take a new one instead",
    )
    snapshot.add_argument(
        "--segments",
        metavar="N",
        help="the parts of the table that processes take in turns (default: 16, more for tables"
        " above 32 GB)",
    )
    snapshot.add_argument(
        "--filter",
        metavar="JSON",
        help="""only items that this pattern matches, as in a route: '{"item": {"kind": {"S":"""
        """ ["ORDER"]}}}'; all of the table is read all the same""",
    )
    snapshot.add_argument(
        "--repair",
        action="store_true",
        help="read each item twice, and publish with read_at what was the same: this repairs"
        " readers that follow rule 6 of docs/readers.md",
    )
    snapshot.add_argument(
        "--settle",
        metavar="SECONDS",
        help="with --repair: the time between the two reads (default: 4); more where clocks differ"
        " by more than a second",
    )
    snapshot.add_argument(
        "--without-service",
        action="store_true",
        help="do not ask whether a worker reads the table's stream",
    )
    snapshot.add_argument(
        "--anyway",
        action="store_true",
        help="begin though the service is more than ten minutes behind: readers go back in time"
        " until it has caught up",
    )
    snapshot.add_argument(
        "--count",
        action="store_true",
        help="with --dry-run: read the table, at full price, and count the events",
    )
    add_publishing_options(snapshot)


def add_repair(repair: argparse.ArgumentParser) -> None:
    """Add the options of `repair`."""
    repair.description = (
        "Publish again the keys that changed in a gap: exports of the table's point-in-time"
        " recovery name them; each is read now, as by `republish`, and what is gone is published as"
        " D with its last image. It says first what it has found, and asks. Run again, it goes on"
        " where it was. The exit code is 1 if something was refused or is out of reach, or if the"
        " run ended early."
    )
    repair.add_argument(
        "--gap",
        action="append",
        default=[],
        metavar="SHARD/FROM",
        help="a gap of `consumer gaps` (may be repeated), or all: those that are not repaired, but"
        " for those of a seek",
    )
    repair.add_argument(
        "--from", dest="from_time", metavar="TIME", help="with --to: what was changed since then"
    )
    repair.add_argument("--to", dest="to_time", metavar="TIME", help="with --from: until then")
    repair.add_argument("--bucket", metavar="NAME", help="the bucket that exports are written to")
    repair.add_argument(
        "--bucket-owner", metavar="ACCOUNT", help="the account that the bucket must belong to"
    )
    repair.add_argument("--prefix", metavar="PREFIX", help="the prefix of the exports' keys")
    repair.add_argument("--kms-key", metavar="ID", help="encrypt the exports with this key")
    repair.add_argument(
        "--export", metavar="ARN", help="read this incremental export, and make none"
    )
    repair.add_argument(
        "--again", action="store_true", help="publish once more what a run has published"
    )
    add_publishing_options(repair)


def add_publishing_options(command: argparse.ArgumentParser) -> None:
    """Add what all commands have that publish items again."""
    command.add_argument(
        "--route",
        action="append",
        default=[],
        metavar="NAME",
        help="only this route, by its name or event type (may be repeated)",
    )
    command.add_argument(
        "--refused",
        metavar="FILE",
        help="add a line for each key of which something was refused; without it they go to"
        " stderr. Key values are item data",
    )
    command.add_argument(
        "--rcu",
        metavar="N",
        help="use at most N read units a second (default: a tenth of what is"
        " provisioned, 100 on demand)",
    )
    command.add_argument(
        "--max-rate", metavar="N", help="publish at most N events a second (default: 500)"
    )
    command.add_argument(
        "--dry-run", action="store_true", help="say what would be published, and publish nothing"
    )
    command.add_argument("--yes", action="store_true", help="do not ask for confirmation")
