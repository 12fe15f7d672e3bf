"""The single event type of a cluster as a list with one route, as the README moves it."""

from pathlib import Path

from tests.integration.cluster import EVENT_TYPE

_FILE = """\
application: {event_type}
routes:
  - event_type: {event_type}
    eid: record
"""


def as_one_route(folder: Path, *more: str) -> dict[str, str]:
    """Write the settings file, with other routes behind it, and return a worker's settings."""
    path = folder / f"routes-{len(more)}.yaml"
    path.write_text(_FILE.format(event_type=EVENT_TYPE) + "".join(more))
    return {"CONSUMER_CONFIG_FILE": str(path), "CONSUMER_EVENT_TYPE": ""}
