"""What the workers log goes into the trace; a failed shard is a violation."""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from tests.simulation.loop import NODE

Sink = Callable[[str, str, dict[str, object]], None]

_sink: list[Sink] = []


class TraceLogger:
    """A structlog wrapper class: every level does the same."""

    def __init__(self, *_args: object, **_options: object) -> None:
        pass

    def _log(self, event: str, **facts: object) -> None:
        node = NODE.get()
        if _sink and node is not None and not node.muted:
            _sink[-1](node.name, event, facts)

    debug = info = warning = error = _log

    def exception(self, event: str, **facts: object) -> None:
        error = sys.exc_info()[1]
        text = "".join(traceback.format_exception(error)) if error else ""
        self._log(event, exception=text, **facts)


@contextmanager
def logs_to(sink: Sink) -> Iterator[None]:
    """What is logged meanwhile goes to `sink(worker, event, facts)`."""
    before: dict[str, Any] = structlog.get_config()
    wrapper: Any = TraceLogger  # of what structlog asks for, `bind` is not used here
    structlog.configure(wrapper_class=wrapper, cache_logger_on_first_use=False)
    _sink.append(sink)
    try:
        yield
    finally:
        _sink.pop()
        structlog.configure(**before)
