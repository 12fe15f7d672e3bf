"""The rows of leases, resources and cost."""

from localdev.observability.grafana import Panel, Query, Row
from localdev.observability.promql import MONTH, OF, WORKER, gauge, rate

UNREAD = ',state=~"free|waiting|unreadable"'

LEASES = Row(
    "Leases and shards",
    (
        Panel(
            "Leases held",
            "By worker; about the same number each.",
            (Query(gauge("max", "leases", "pod, instance", ',state="held"'), WORKER),),
            stacked=True,
        ),
        Panel(
            "Leases nobody holds",
            "Free: could be read and is not. Waiting: for a parent or an older stream. Unreadable: "
            "its row is damaged.",
            (
                Query(gauge("max", "leases", "state", UNREAD), "{{state}}"),
                Query(gauge("sum", "worker_able") + " < bool 1", "no worker can read"),
            ),
        ),
        Panel(
            "Leases lost, writes",
            "Lost to a fence or another worker; writes to the lease table by outcome.",
            (
                Query(rate("lease_lost_total"), "lost"),
                Query(rate("shard_failures_total"), "shard failures"),
                Query(rate("lease_writes_total", "outcome"), "writes {{outcome}}"),
            ),
            "cps",
        ),
        Panel(
            "Workers",
            "What each worker sees of all leases.",
            (Query(gauge("max", "leases", "instance, state")),),
            kind="table",
            width=12,
            matrix=("instance", "state"),
        ),
        Panel(
            "Oldest shards",
            "Iterator age of the oldest shards of each worker (CONSUMER_METRICS_SHARDS); "
            "`consumer leases` lists all.",
            (Query(f"sort_desc({gauge('max', 'shard_age_seconds', 'stream, shard, instance')})"),),
            "s",
            "table",
            12,
        ),
    ),
)

RESOURCES = Row(
    "Resources",
    (
        Panel(
            "CPU",
            "Cores. One worker uses one core at most.",
            (Query(rate("process_cpu_seconds_total", "pod, instance"), WORKER),),
            width=6,
        ),
        Panel(
            "Memory",
            "Resident.",
            (Query(gauge("max", "process_resident_memory_bytes", "pod, instance"), WORKER),),
            "bytes",
            width=6,
        ),
        Panel(
            "Event loop lag",
            "How late timers ran; a second endangers heartbeats.",
            (Query(gauge("max", "event_loop_lag_seconds", "pod, instance"), WORKER),),
            "s",
            width=6,
        ),
        Panel(
            "Versions, starts",
            "Workers by version, and those that have started within ten minutes.",
            (
                Query(f"count by (version) (consumer_build_info{{{OF}}})", "workers {{version}}"),
                Query(
                    f"count (consumer_process_start_time_seconds{{{OF}}} > time() - 600)",
                    "started lately",
                ),
            ),
            width=6,
        ),
    ),
)

COST = Row(
    "Cost",
    (
        Panel(
            "GetRecords",
            "Calls by outcome: this is the bill for the stream.",
            (Query(rate("get_records_requests_total", "outcome"), "{{outcome}}"),),
            "reqps",
            stacked=True,
        ),
        Panel(
            "GetRecords bytes",
            "On the wire, by encoding: what NAT or PrivateLink would charge for.",
            (Query(rate("get_records_bytes_total", "encoding"), "{{encoding}}"),),
            "Bps",
        ),
        Panel(
            "Dollars a month, at this rate",
            "Calls times the prices above (variables); lease rows as on-demand writes.",
            (
                Query(
                    f"{rate('get_records_requests_total')} * {MONTH} * $read_price / 1e6",
                    "GetRecords",
                ),
                Query(
                    f"{rate('lease_writes_total')} * {MONTH} * $write_price / 1e6", "lease table"
                ),
            ),
            "currencyUSD",
            decimals=2,
        ),
    ),
)
