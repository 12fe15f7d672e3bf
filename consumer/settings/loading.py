"""Loads the settings: collects the values, converts them, checks each, and checks the rules.

An error is one line that names the setting, what was found and what is wanted. It never contains a
token.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from consumer.errors import Misconfigured
from consumer.settings.error import not_given, one_line
from consumer.settings.given import collect
from consumer.settings.route_definition import read_definitions
from consumer.settings.routes import check_routes
from consumer.settings.rules import NO_APPLICATION, RULES
from consumer.settings.settings import Settings
from consumer.settings.source import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.settings.source import Given

START_AHEAD_SECONDS = 60.0
"""A start this far in the future is refused: it would skip every change until then."""


Need = tuple[str, ...]
"""Settings of which one has to be given."""

APPLICATION: Final[Need] = ("application", "event_type")
SOURCE: Final[Need] = ("table", "stream_arn")
EVENT_TYPE: Final[Need] = ("event_type", ROUTES)
NAKADI: Final[Need] = ("nakadi_url",)
DEAD_LETTER_QUEUE: Final[Need] = ("dead_letter_queue_url",)

SERVICE: Final = (EVENT_TYPE, NAKADI, SOURCE)
"""What the service needs; a command may need less."""

_UNUSED: Final = {"application": NO_APPLICATION, "nakadi_url": "http://not-set.invalid"}
"""Stands for what a command does not need and was not given. The host exists nowhere (RFC 2606)."""


def load_settings(environ: Mapping[str, str], needs: Sequence[Need] = SERVICE) -> Settings:
    """Return the settings. Raise Misconfigured, with one line for the operator.

    The line names all settings that are needed and missing, else the first that is wrong.
    """
    given = collect(environ, Settings.model_fields)
    missing = [need for need in needs if not any(name in given for name in need)]
    if missing:
        raise Misconfigured("; ".join(not_given(need, Settings) for need in missing))
    unused = {name: text for name, text in _UNUSED.items() if name not in _follows(given)}
    values: dict[str, object] = {**unused, **{name: each.text for name, each in given.items()}}
    if ROUTES in given:
        values[ROUTES] = read_definitions(given[ROUTES])
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        # The original error has every value, also the token, so it must not be chained.
        raise Misconfigured(one_line(error, given)) from None
    for rule in RULES:
        if (rule.names != SOURCE or SOURCE in needs) and not rule.holds(settings):
            raise Misconfigured(rule.broken_by(settings))
    check_routes(settings)
    start_time = settings.start_time
    if start_time is not None and start_time > time.time() + START_AHEAD_SECONDS:
        source = given["start"].source
        raise Misconfigured(f"{source}: found {settings.start!r}, wanted a time that has passed")
    return settings


def _follows(given: Mapping[str, Given]) -> tuple[str, ...]:
    """Return the settings that another one decides if they are not given."""
    return ("application",) if "event_type" in given else ()
