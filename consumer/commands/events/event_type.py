"""`consumer event-type`: prints a definition to create the event type with.

The key attributes are read from the table or, if it cannot be reached, taken from the settings. Of
several routes `--route` names one: a list of definitions is none that Nakadi takes.
Notes on what a person has to check go to stderr.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.core.preflight.event_draft import PARTITIONS, draft, notes
from consumer.credentials import fallback_region
from consumer.errors import Misconfigured, Retryable
from consumer.find_stream import find_stream
from consumer.observability import logs
from consumer.preflight import crosses
from consumer.settings.loading import EVENT_TYPE, SOURCE, load_settings
from consumer.settings.routes import routes_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from consumer.core.routes.route import Route
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


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Write the definition as JSON to `out` and the notes to stderr. Return 0.

    Raises Misconfigured if the settings are wrong, or if it must be said which route is meant.
    """
    settings = load_settings(environ, [EVENT_TYPE, SOURCE])
    ordering_key = chosen(routes_of(settings, ()), arguments.route).format.ordering_key
    logs.configure_command()
    guessed: list[str] = []
    keys = asyncio.run(_keys(settings, ordering_key, guessed))
    route = chosen(routes_of(settings, keys), arguments.route)
    form = route.format
    application = route.event_type.partition(".")[0]
    definition = draft(route.event_type, application, form, keys, crossings=crosses(route))
    out.write(definition.decode() + "\n")
    for note in (*notes(form, keys), *guessed, *TO_COMPLETE):
        sys.stderr.write(f"note: {note}\n")
    return 0


def chosen(routes: Sequence[Route], name: str | None) -> Route:
    """Return the route of this name, or the only one. Raise Misconfigured if there is none."""
    if name is None and len(routes) == 1:
        return routes[0]
    for route in routes:
        if name in (route.name, route.event_type):
            return route
    found = "nothing" if name is None else repr(name)
    names = ", ".join(route.name for route in routes)
    raise Misconfigured(f"--route: found {found}, wanted one of {names}")


async def _keys(
    settings: Settings, ordering_key: tuple[str, ...], guessed: list[str]
) -> tuple[str, ...]:
    """Return the table's key attributes, partition key first; add a note if they are guessed."""
    try:
        async with Aws(fallback_region(settings)) as aws:
            client = DynamoDbStreams(
                await aws.streams(CONNECTIONS), await aws.dynamodb(CONNECTIONS), SystemClock()
            )
            return (await find_stream(settings, client)).page.key_attributes
    except (Misconfigured, Retryable) as error:
        keys = ordering_key or (PLACEHOLDER,)
        guessed.append(f"the table's key is unknown ({error}); used {', '.join(keys)}: correct it")
        return keys
