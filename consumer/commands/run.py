"""`consumer run`: runs the service until SIGTERM or SIGINT."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Final

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

NEW_OBJECTS: Final = 10_000
"""New containers after which the garbage collector looks for cycles among them.

Records leave no cycles: they are freed when they are settled. With Python's 700 the collector looks
at each record on its way, twice, and finds nothing. What waits for it is a few megabytes at most.
"""


def run(_: argparse.Namespace, environ: Mapping[str, str], __: TextIO) -> int:
    """Run the service; return 0 when it has stopped. Raise Fatal."""
    settings = load_settings(environ)
    metrics = Metrics()
    writer = LogWriter(sys.stdout.fileno(), metrics.log_lines_dropped.inc)
    logs.configure(settings.log_level, settings.log_format, writer)
    gc.set_threshold(NEW_OBJECTS)
    try:
        return uvloop.run(serve(settings, metrics))
    finally:
        writer.close()
