"""The row of publishing: Nakadi's answers, and what waits to be sent."""

from localdev.observability.grafana import Panel, Query, Row
from localdev.observability.promql import WORKER, gauge, quantile, rate

PUBLISHING = Row(
    "Publishing",
    (
        Panel(
            "State of the event types",
            "Workers in each state, by event type. Backing off: an outage, one probe at a time. "
            "Stopped: 403, 404 or too many refusals; an operator must act.",
            (
                Query(
                    f"{gauge('sum', 'event_type_state', 'event_type, state')} > 0",
                    "{{event_type}} {{state}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            "Requests",
            "By Nakadi's answer, or the lack of one.",
            (Query(rate("publish_duration_seconds_count", "outcome"), "{{outcome}}"),),
            "reqps",
            stacked=True,
        ),
        Panel(
            "Time of a request",
            "From sending to the answer.",
            (
                Query(quantile(0.5, "publish_duration_seconds"), "p50"),
                Query(quantile(0.99, "publish_duration_seconds"), "p99"),
            ),
            "s",
        ),
        Panel(
            "Events in a request",
            "Fuller batches cost less; they fill by themselves as load grows.",
            (
                Query(quantile(0.5, "publish_batch_events"), "p50"),
                Query(
                    f"{rate('publish_batch_events_sum')} / {rate('publish_batch_events_count')}",
                    "mean",
                ),
            ),
        ),
        Panel(
            "Sent again",
            "Events to be sent again, by reason; unknown: the answer was lost, each may become a "
            "duplicate.",
            (
                Query(rate("publish_retries_total", "reason"), "{{reason}}"),
                Query(rate("publish_unknown_total"), "unknown"),
            ),
            "cps",
        ),
        Panel(
            "Dead letters",
            "By reason.",
            (Query(rate("dead_letters_total", "reason"), "{{reason}}"),),
            "cps",
            stacked=True,
        ),
        Panel(
            "Queue",
            "Bytes held of the budget; full, it suspends reading.",
            (
                Query(
                    f"{gauge('max', 'queue_bytes', 'pod, instance')} / "
                    f"{gauge('max', 'queue_limit_bytes', 'pod, instance')}",
                    WORKER,
                ),
            ),
            "percentunit",
        ),
        Panel(
            "Events in memory",
            "Read and not yet settled.",
            (Query(gauge("sum", "queue_events", "pod, instance"), WORKER),),
            stacked=True,
        ),
        Panel(
            "Requests in flight, hot keys",
            "Hot: a key's backlog grew older than a minute (CONSUMER_KEY_RUN_EVENTS).",
            (
                Query(gauge("sum", "publish_in_flight", "pod, instance"), WORKER),
                Query(rate("hot_keys_total"), "hot keys per second"),
            ),
        ),
    ),
)
