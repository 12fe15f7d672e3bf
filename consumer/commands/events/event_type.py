"""`consumer event-type`: prints a definition to create the event type with.

The key attributes are read from the table or, if it cannot be reached, taken from the settings.
Notes on what a person has to check go to stderr.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.core.preflight.event_draft import PARTITIONS, draft
from consumer.credentials import fallback_region
from consumer.errors import Misconfigured, Retryable
from consumer.find_stream import find_stream
from consumer.observability import logs
from consumer.settings.loading import EVENT_TYPE, SOURCE, load_settings
from consumer.settings.routes import routes_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.settings.settings import Settings

CONNECTIONS = 2
PLACEHOLDER = "id"

TO_COMPLETE = (
    "owning_application is the event type's first word: correct it",
    "authorization and audience are left out: add them where your Nakadi wants them",
    "the key attributes are assumed to be strings; a number has the schema type number",
    "other attributes are not checked: add those that readers may rely on",
    f"default_statistic asks for {PARTITIONS} partitions; their number can only grow",
)


def run(_: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Write the definition as JSON to `out` and the notes to stderr. Return 0.

    Raises Misconfigured if the settings are wrong.
    """
    settings = load_settings(environ, [EVENT_TYPE, SOURCE])
    logs.configure_command()
    notes = list(TO_COMPLETE)
    keys = asyncio.run(_keys(settings, notes))
    notes[:0] = [
        f"key attribute {key!r}: Nakadi takes the dot for a path and finds no such field; neither"
        " partition_key_fields nor ordering_instance_ids can name it"
        for key in keys
        if "." in key
    ]
    for route in routes_of(settings, keys):
        application = route.event_type.partition(".")[0]
        crossings = route.filter is not None and route.filter.crosses(keys)
        definition = draft(route.event_type, application, route.format, keys, crossings=crossings)
        out.write(definition.decode() + "\n")
    for note in notes:
        sys.stderr.write(f"note: {note}\n")
    return 0


async def _keys(settings: Settings, notes: list[str]) -> tuple[str, ...]:
    """Return the table's key attributes, partition key first; add a note if they are guessed."""
    try:
        async with Aws(fallback_region(settings)) as aws:
            client = DynamoDbStreams(
                await aws.streams(CONNECTIONS), await aws.dynamodb(CONNECTIONS), SystemClock()
            )
            return (await find_stream(settings, client)).page.key_attributes
    except (Misconfigured, Retryable) as error:
        keys = settings.ordering_key or (PLACEHOLDER,)
        notes.insert(0, f"the table's key is unknown ({error}); used {', '.join(keys)}: correct it")
        return keys
