"""The row of event types, each beside the others."""

from localdev.observability.grafana import Panel, Query, Row
from localdev.observability.promql import gauge, rate

NAME = "{{event_type}}"
FAILED = ',outcome!~"http_2.."'

EVENT_TYPES = Row(
    "Event types",
    (
        Panel(
            "Taken",
            "Records of which an event was made for the event type. One that takes nothing while "
            "records are read has a filter that matches nothing.",
            (Query(rate("records_taken_total", "event_type"), NAME),),
            "cps",
        ),
        Panel(
            "Published",
            "Events that Nakadi stored.",
            (Query(rate("events_published_total", "event_type"), NAME),),
            "cps",
        ),
        Panel(
            "Oldest event",
            "Age of the oldest change of which an event waits: which event type holds the shards "
            "back.",
            (Query(gauge("max", "oldest_event_seconds", "event_type"), NAME),),
            "s",
        ),
        Panel(
            "Waiting",
            "Events in memory, of all workers.",
            (Query(gauge("sum", "queue_events", "event_type"), NAME),),
            stacked=True,
        ),
        Panel(
            "Requests that fail",
            "All but 200 and 207.",
            (Query(rate("publish_requests_total", "event_type", FAILED), NAME),),
            "reqps",
        ),
        Panel(
            "Refused",
            "Events that went to the dead letter queue.",
            (Query(rate("dead_letters_total", "event_type"), NAME),),
            "cps",
        ),
    ),
)
