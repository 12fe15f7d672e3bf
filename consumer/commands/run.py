"""`consumer run`: runs the service until SIGTERM or SIGINT."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvloop

from consumer.observability import logs
from consumer.service import run as serve
from consumer.settings.loading import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO


def run(_: argparse.Namespace, environ: Mapping[str, str], __: TextIO) -> int:
    """Run the service; return 0 when it has stopped. Raise Fatal."""
    settings = load_settings(environ)
    logs.configure(settings.log_level, settings.log_format, sys.stdout)
    return uvloop.run(serve(settings))
