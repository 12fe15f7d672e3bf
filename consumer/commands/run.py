"""`consumer run`: runs the service until SIGTERM or SIGINT."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvloop

from consumer.observability import logs
from consumer.observability.log_writer import LogWriter
from consumer.observability.metrics import Metrics
from consumer.service import run as serve
from consumer.settings.loading import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO


def run(_: argparse.Namespace, environ: Mapping[str, str], __: TextIO) -> int:
    """Run the service; return 0 when it has stopped. Raise Fatal."""
    settings = load_settings(environ)
    metrics = Metrics()
    writer = LogWriter(sys.stdout.fileno(), metrics.log_lines_dropped.inc)
    logs.configure(settings.log_level, settings.log_format, writer)
    try:
        return uvloop.run(serve(settings, metrics))
    finally:
        writer.close()
