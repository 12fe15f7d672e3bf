"""The headline row, and the row of streams."""

from typing import Final

from localdev.observability.grafana import Panel, Query, Row
from localdev.observability.promql import counted, gauge, rate

AGES: Final = (("yellow", 60.0), ("orange", 3600.0), ("red", 43200.0))


def _stat(title: str, text: str, expression: str, unit: str, *steps: tuple[str, float]) -> Panel:
    return Panel(title, text, (Query(expression),), unit, "stat", 4, 4, steps)


HEADLINE = Row(
    "Is it all right?",
    (
        _stat(
            "Iterator age",
            "Age of the oldest change that is neither published nor a dead letter. About zero "
            "while all is well or idle.",
            gauge("max", "iterator_age_seconds"),
            "s",
            *AGES,
        ),
        Panel(
            "Retention headroom",
            "Time left until the stream forgets the oldest unsettled change.",
            (Query(gauge("min", "retention_headroom_seconds")),),
            "s",
            "stat",
            4,
            4,
            (),
        ),
        _stat("In", "Records read from the stream.", rate("records_read_total"), "cps"),
        _stat("Out", "Events that Nakadi stored.", rate("events_published_total"), "cps"),
        _stat(
            "Dead letters",
            "Events refused within the time shown. Readers miss them until they are redriven.",
            counted("dead_letters_total"),
            "none",
            ("orange", 0.5),
        ),
        _stat(
            "Gaps",
            "Changes that the stream forgot unread, within the time shown. `consumer gaps` names "
            "them.",
            counted("gaps_total", ',reason!="seek"'),
            "none",
            ("red", 0.5),
        ),
        Panel(
            "Iterator age",
            "The maximum over all workers, by stream.",
            (Query(gauge("max", "iterator_age_seconds", "stream"), "{{stream}}"),),
            "s",
            width=12,
            steps=AGES[1:],
        ),
        Panel(
            "In and out",
            "They differ while something is skipped, refused or waits.",
            (
                Query(rate("records_read_total"), "read"),
                Query(rate("events_published_total"), "published"),
                Query(rate("dead_letters_total"), "dead letters"),
                Query(rate("records_skipped_total"), "skipped"),
            ),
            "cps",
            width=12,
        ),
    ),
)

STREAMS = Row(
    "Streams",
    (
        Panel(
            "Headroom",
            "Time until the oldest unsettled change of a stream is forgotten.",
            (Query(gauge("min", "retention_headroom_seconds", "stream"), "{{stream}}"),),
            "s",
        ),
        Panel(
            "Checkpoint age",
            "Since the oldest checkpoint of a held shard: what a crash would publish again.",
            (Query(gauge("max", "checkpoint_age_seconds", "stream"), "{{stream}}"),),
            "s",
        ),
        Panel(
            "Enabled, gaps, skipped",
            "1 while the newest stream takes changes. Gaps by reason. Records that yield no event, "
            "by reason.",
            (
                Query(gauge("min", "stream_enabled", "stream"), "{{stream}} enabled"),
                Query(rate("gaps_total", "reason"), "gaps {{reason}}"),
                Query(rate("records_skipped_total", "reason"), "skipped {{reason}}"),
            ),
        ),
    ),
)
