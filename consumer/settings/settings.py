"""The settings: every limit and name that an operator may choose.

The docstring of a field is what `consumer settings` and the README print. Values come from the
environment or a YAML file (`source`), must keep the rules in `rules`, and do not change after they
are loaded (`loading`).
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, model_validator

from consumer.core.event.event import TOUCH_ATTRIBUTE, Layout
from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON
from consumer.core.limits import LeaseTiming, PollTiming, PublishLimits
from consumer.core.routes.filters.lambda_filter import Filter, read_filter_json
from consumer.settings.route_definition import RouteDefinition
from consumer.settings.route_types import Paths
from consumer.settings.source import HTTP_PORT
from consumer.settings.types import (
    Attributes,
    BatchBytes,
    Count,
    CountOrZero,
    DefaultText,
    Drain,
    EventBytes,
    Events,
    EventTypeName,
    File,
    FilterText,
    Host,
    HostNames,
    HttpUrl,
    LayoutName,
    LogFormatName,
    LogLevelName,
    Name,
    Port,
    Queue,
    RecordAge,
    Requests,
    Seconds,
    Secret,
    SecretArn,
    Start,
    StreamArn,
    StreamPrefix,
    Switch,
    TableName,
    TouchAttributeName,
    Unit,
)


class Settings(BaseModel):
    """All settings of the service. Each is checked alone; `loading` checks the rules."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, str_strip_whitespace=True
    )

    application: Annotated[Name, DefaultText("the event type")] = ""
    """Name of the group of workers that share the work, and partition key in the lease table. Under
    another name the service starts anew and independently of the first."""
    table: TableName | None = None
    """Table whose newest stream is read, and every stream that follows it."""
    stream_arn: StreamArn | None = None
    """ARN of the stream to read, instead of the table. Once the stream is disabled and read to its
    end, the service exits with 1."""
    stream_prefix: Annotated[StreamPrefix, DefaultText("empty")] = ""
    """Stands before the stream's label in `change.stream`, by which readers order events. A
    service that moves to another table, Region or account needs one that sorts above the last
    value."""
    start: Annotated[Start, DefaultText("trim_horizon")] = TRIM_HORIZON
    """Where to start a stream that this application has never seen: `trim_horizon`, `latest` (in
    any case) or a time like `2026-11-01T09:30:00Z`. Older changes are not published. A stream that
    was seen before is continued."""
    lease_table: TableName = "consumer-leases"
    """Lease table; many applications may share one."""
    lease_table_create: Switch = True
    """Create the lease table (on demand, TTL on `expiresAt`) if it does not exist."""
    accept_change: Switch = False
    """Take over a stream whose row names another event type, data type, ordering key, layout, patch
    setting or stream prefix, or no event type of the routes. Leave it off: it prevents two services
    from sharing one application by mistake."""
    lease_duration_seconds: Seconds = 10.0
    """A worker that shows no heartbeat for this long is taken for dead. A longer time tolerates
    longer pauses of a worker; after a crash its shards also wait longer."""
    heartbeat_seconds: Seconds = 2.0
    """Interval of a worker's heartbeat; each is one write."""
    scan_seconds: Seconds = 2.0
    """Interval at which a worker reads the rows of its peers, and those of the leases if something
    has changed."""
    discovery_seconds: Seconds = 60.0
    """Interval of the complete listing of shards."""
    checkpoint_seconds: Seconds = 5.0
    """Longest time between two checkpoints of a shard that advances. A crash repeats at most what
    came since the last one; each checkpoint is one write."""
    poll_seconds: Seconds = 0.25
    """Shortest pause after a page that reached the tip of its shard. Where changes are rarer the
    pause is longer: about the root of this value times the mean time between changes, in seconds.
    AWS bills for each GetRecords call."""
    poll_idle_seconds: Seconds = 0.25
    """Shortest pause after an empty page."""
    poll_idle_max_seconds: Seconds = 2.0
    """Longest pause. A shard in which nothing changes is asked so often. A larger value costs less
    and publishes later."""
    nakadi_url: HttpUrl
    """Base URL of Nakadi."""
    nakadi_client_cert_file: File | None = None
    """PEM file with the certificate that the service shows to Nakadi (mutual TLS), and with those
    above it. It is read again when it changes."""
    nakadi_client_key_file: File | None = None
    """PEM file with the key of that certificate, without a password; by default the key is in the
    file of the certificate."""
    nakadi_token_file: File | None = None
    """File that holds the bearer token. It is read again when it changes and after a 401."""
    nakadi_token: Secret | None = None
    """The bearer token itself, instead of a file; white space around it is ignored. Without any of
    these, requests carry no token."""
    nakadi_token_secret: SecretArn | None = None
    """Secret of AWS Secrets Manager whose text is the bearer token. It is read at the start, every
    five minutes and after a 401."""
    event_type: Annotated[EventTypeName | None, DefaultText("required, or routes")] = None
    """Event type to publish to."""
    routes: Annotated[tuple[RouteDefinition, ...], DefaultText("unset"), Unit("JSON")] = ()
    """List of routes, instead of one event type: each says which changes it publishes, to which
    event type, and what of them. It is JSON here, and a list in the file. The other settings of
    events hold for routes that do not have their own."""
    filter: FilterText | None = None
    """Publish only the changes that this filter takes: a pattern of Lambda's event filtering as
    JSON, a list of them, or the FilterCriteria of an event source mapping. By default all."""
    changed: Annotated[Paths, DefaultText("unset")] = ()
    """Publish an update only if one of these attributes differs: comma separated paths, such as
    `status` or `customer.iban`."""
    include: Paths | None = None
    """Show only these attributes: comma separated paths into maps and lists, such as
    `customer.name`. By default all."""
    exclude: Annotated[Paths, DefaultText("unset")] = ()
    """Do not show these attributes, also if they are included."""
    data_type: Annotated[Name | None, DefaultText("the event type")] = None
    """`data_type` of the events."""
    ordering_key: Annotated[Attributes, DefaultText("the partition key")] = ()
    """Attributes of the table's primary key, comma separated, the partition key among them. Events
    with the same values stay in order. (Nakadi's `ordering_key_fields` is something else.)"""
    patch: Switch = True
    """Add a JSON Patch to U events. This needs the view type NEW_AND_OLD_IMAGES."""
    patch_field: Name = "patch"
    """Name of the patch inside `data`. In the flat layout an item that has an attribute of this
    name cannot be published, unless `CONSUMER_PATCH` is false."""
    change_field: Name = "change"
    """Name of the member inside `data` that says which change this is. In the flat layout an item
    that has an attribute of this name cannot be published."""
    layout: LayoutName = Layout.FLAT
    """`flat`: attributes are members of `data`. `nested`: the item is in `data.item`."""
    touch_attribute: TouchAttributeName = TOUCH_ATTRIBUTE
    """Attribute that `consumer republish --touch` writes to have an item published again. It is
    never published, and no filter sees it. All workers need the same name."""
    batch_events: Events = 500
    """Largest number of events in a request."""
    batch_bytes: BatchBytes = 900_000
    """Largest size of a request, up to 50 MB; a larger event travels alone. More than the default
    can exceed what Nakadi's store accepts at once."""
    probe_seconds: Seconds = 30.0
    """Interval at which one event is tried while publishing is stopped."""
    event_bytes: EventBytes = 999_000
    """Largest size of an event, up to 2 MB, if Nakadi takes more than by default. A larger event is
    sent without its patch; if it is still too large, it cannot be published."""
    key_run_events: Events = 1
    """Largest number of events of one ordering key in a request. 1 keeps the order strictly; more
    lets hot keys go faster."""
    linger_seconds: Seconds = 0.02
    """Longest time that an event waits for its batch to fill while another request is in flight."""
    publish_concurrency: Requests = 8
    """Largest number of publishing requests in flight to one event type, up to 1,000. All event
    types together have at most four times as many, each one of its own."""
    publish_timeout_seconds: Seconds = 40.0
    """Longest time for one publishing request. Nakadi may take 30 s to answer."""
    publish_gzip: Switch = False
    """Compress publishing requests with gzip. They shrink to about a seventh and take some 4 ms of
    CPU for each MB, a twelfth of the whole cost of an event."""
    max_record_age_seconds: RecordAge | None = None
    """Send changes that are older than this to the dead letter queue instead of Nakadi. This needs
    a dead letter queue."""
    max_attempts: Count = 100
    """Failed tries after which an event becomes a dead letter. A try counts only if its partition
    has stored something since the one before, so outages never count."""
    queue_bytes: Queue = 268_435_456
    """Memory for events, of all shards together; at least 16 MiB. When it is used up, reading
    pauses."""
    drain_seconds: Drain = 25.0
    """Longest drain after SIGTERM, more than 1 s. The platform's grace period must be about 10 s
    longer."""
    dead_letter_queue_url: HttpUrl | None = None
    """SQS queue for refused events. Without it a refused event blocks its key, and an error is
    logged."""
    dead_letter_limit: CountOrZero = 100
    """Number of dead letters within a minute that stops publishing (0: no limit)."""
    lambda_partial: Switch = False
    """Lambda: answer which records are not settled. Set it only if the event source mapping has
    ReportBatchItemFailures; without it an invocation fails whenever something is not settled."""
    lambda_patience_seconds: Seconds = 20.0
    """Lambda: an invocation ends when nothing was settled for this long, as in an outage."""
    http_host: Annotated[Host | None, DefaultText("all interfaces")] = None
    """Address that probes, metrics and status listen on; by default all, IPv4 and IPv6."""
    http_port: Port = HTTP_PORT
    """Port of probes, metrics and status; 0 takes a free one."""
    http_allowed_hosts: Annotated[HostNames, DefaultText("none")] = ()
    """More host names, comma separated, for which `/` and `/status` are shown, as of an ingress.
    They are always shown for IP addresses, and for names without a dot such as `localhost`."""
    metrics_shards: CountOrZero = 10
    """Largest number of shards that a worker's metrics name; the oldest ones are chosen. Each is a
    time series for as long as the shard lives (0: none)."""
    cloudwatch_namespace: Name | None = None
    """CloudWatch namespace. If set, one log line a minute has the embedded metric format, from
    which CloudWatch Logs makes metrics. The alarms of the ECS template need them."""
    log_level: LogLevelName = "INFO"
    """Lowest level that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL."""
    log_format: LogFormatName = "json"
    """`json` for machines, `text` for people."""

    @model_validator(mode="before")
    @classmethod
    def _follow_event_type(cls, values: dict[str, object]) -> dict[str, object]:
        if "event_type" not in values:
            return values
        return {"application": values["event_type"], **values}

    @property
    def start_time(self) -> float | None:
        """The start in epoch seconds, None for TRIM_HORIZON and LATEST."""
        if self.start in {TRIM_HORIZON, LATEST}:
            return None
        return datetime.fromisoformat(self.start).timestamp()

    @cached_property
    def only(self) -> Filter | None:
        """The filter of the changes that are published, None for all."""
        return None if self.filter is None else read_filter_json(self.filter)

    def lease_timing(self) -> LeaseTiming:
        """Return the times of leases: heartbeat, lease duration and the like."""
        return LeaseTiming(
            heartbeat=self.heartbeat_seconds,
            lease_duration=self.lease_duration_seconds,
            scan=self.scan_seconds,
            discovery=self.discovery_seconds,
            checkpoint=self.checkpoint_seconds,
            drain=self.drain_seconds,
        )

    def poll_timing(self) -> PollTiming:
        """Return the pauses between two requests to a shard."""
        return PollTiming(
            tip=self.poll_seconds,
            idle=self.poll_idle_seconds,
            idle_max=self.poll_idle_max_seconds,
        )

    def publish_limits(self) -> PublishLimits:
        """Return the limits of publishing."""
        return PublishLimits(
            batch_events=self.batch_events,
            batch_bytes=self.batch_bytes,
            key_run_events=self.key_run_events,
            linger=self.linger_seconds,
            concurrency=self.publish_concurrency,
            probe=self.probe_seconds,
            max_attempts=self.max_attempts,
            dead_letter_limit=self.dead_letter_limit,
            max_record_age=self.max_record_age_seconds,
        )

    @property
    def event_types(self) -> tuple[str, ...]:
        """The event types that are published to; none where a command was given none."""
        if self.routes:
            return tuple(each.event_type for each in self.routes)
        return () if self.event_type is None else (self.event_type,)
