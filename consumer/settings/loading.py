"""Loads the settings: collects the values, converts them, checks each, and checks the rules.

An error is one line that names the setting, what was found and what is wanted. It never contains a
token.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pydantic import ValidationError

from consumer.errors import Misconfigured
from consumer.settings.error import one_line
from consumer.settings.rules import RULES
from consumer.settings.settings import Settings
from consumer.settings.source import collect

if TYPE_CHECKING:
    from collections.abc import Mapping

START_AHEAD_SECONDS = 60.0
"""A start this far in the future is refused: it would skip every change until then."""


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings. Raise Misconfigured, with one line for the operator."""
    given = collect(environ, Settings.model_fields)
    try:
        settings = Settings.model_validate({name: each.text for name, each in given.items()})
    except ValidationError as error:
        # The original error has every value, also the token, so it must not be chained.
        raise Misconfigured(one_line(error, given, Settings)) from None
    for rule in RULES:
        if not rule.holds(settings):
            raise Misconfigured(rule.broken_by(settings))
    start_time = settings.start_time
    if start_time is not None and start_time > time.time() + START_AHEAD_SECONDS:
        source = given["start"].source
        raise Misconfigured(f"{source}: found {settings.start!r}, wanted a time that has passed")
    return settings
