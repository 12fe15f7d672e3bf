"""The settings: every limit and name an operator may choose, each explained where it is defined.

The text under a field is what `consumer settings` and the README print: meaning and consequence.
Values come from the environment or a YAML file (`source`), must obey the relations in `rules`, and
are fixed once loaded (`loading`).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

from pydantic import model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from consumer.core.event.event import EventFormat, Layout
from consumer.core.leases.lease import LATEST, TRIM_HORIZON
from consumer.core.limits import LeaseTiming, PollTiming, PublishLimits
from consumer.core.stream.stream import ViewType
from consumer.settings.source import HTTP_PORT
from consumer.settings.types import (
    Attributes,
    Bytes,
    Count,
    CountOrNone,
    Drain,
    EventTypeName,
    File,
    Host,
    HttpUrl,
    LayoutName,
    LogFormatName,
    LogLevelName,
    Name,
    Port,
    Queue,
    Seconds,
    Secret,
    Shown,
    Start,
    StreamArn,
    Switch,
    TableName,
)


class Settings(BaseSettings):
    """All settings of the service, checked one by one; `loading` checks them against each other."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True
    )

    application: Annotated[Name, Shown("the event type")] = ""
    """Name of the group of workers that share the work; partition key in the lease table. Another
    name starts from the beginning, beside the first."""
    table: TableName | None = None
    """Table whose latest stream is read, and each stream after it."""
    stream_arn: StreamArn | None = None
    """The stream itself, instead of the table; once disabled and read, the service exits with 1."""
    start: Annotated[Start, Shown("trim_horizon")] = TRIM_HORIZON
    """Where a never-seen stream starts: `trim_horizon`, `latest` (any case) or a time like
    `2026-11-01T09:30:00Z`. Older changes are not published; a stream once seen is continued."""
    lease_table: TableName = "consumer-leases"
    """Lease table; may serve many applications."""
    lease_table_create: Switch = True
    """Create the lease table (on demand, TTL on `expiresAt`) when it is absent."""
    accept_change: Switch = False
    """Take over a stream whose row names another event type, data type, ordering key, layout or
    patch setting. Leave it off: it is the guard against two services sharing one application."""
    lease_duration_seconds: Seconds = 10.0
    """A worker silent for this long is dead: longer bears longer pauses, and a crash stalls its
    shards longer."""
    heartbeat_seconds: Seconds = 2.0
    """Interval of a worker's sign of life, one write each."""
    scan_seconds: Seconds = 2.0
    """Interval at which a worker looks at its peers, and at the leases when something changed."""
    discovery_seconds: Seconds = 60.0
    """Interval of the full shard listing."""
    checkpoint_seconds: Seconds = 5.0
    """A shard that advanced is checkpointed at least this often: a crash repeats at most what came
    since, and each checkpoint is a write."""
    poll_seconds: Seconds = 0.25
    """Wait after a page that reached the tip of its shard. GetRecords calls are the bill."""
    poll_idle_seconds: Seconds = 1.0
    """Wait after an empty page, the first of a back-off."""
    poll_idle_max_seconds: Seconds = 2.0
    """End of that back-off; larger is cheaper and later."""
    nakadi_url: HttpUrl
    """Base URL of Nakadi."""
    nakadi_token_file: File | None = None
    """File with the bearer token, read again when it changes and after a 401."""
    nakadi_token: Secret | None = None
    """The bearer token itself, instead of a file; white space around it is ignored. Without either
    requests carry no token."""
    event_type: EventTypeName
    """Event type to publish to."""
    data_type: Annotated[Name, Shown("the event type")] = ""
    """`data_type` of the events."""
    ordering_key: Annotated[Attributes, Shown("the partition key")] = ()
    """Attributes of the table's primary key, the partition key among them, comma separated: events
    with the same value stay in order. (Nakadi's `ordering_key_fields` is something else.)"""
    patch: Switch = True
    """U events carry a JSON Patch; needs the view type NEW_AND_OLD_IMAGES."""
    patch_field: Name = "patch"
    """Name of the patch inside `data`; in the flat layout an item with such an attribute is
    poison."""
    change_field: Name = "change"
    """Name of the change's coordinates inside `data`; in the flat layout an item with such an
    attribute is poison."""
    layout: LayoutName = Layout.FLAT
    """`flat` (attributes are members of `data`) or `nested` (item under `data.item`)."""
    batch_events: Count = 500
    """Most events in a request."""
    batch_bytes: Bytes = 900_000
    """Most bytes in a request (a larger event goes alone); more can exceed what the store takes at
    once."""
    probe_seconds: Seconds = 30.0
    """A stopped event type tries one event this often."""
    event_bytes: Bytes = 999_000
    """Most bytes in an event; a larger one loses its patch first, then is poison."""
    key_run_events: Count = 1
    """Most events of one ordering key in a request; 1 is strict order, more lets hot keys go
    faster."""
    linger_seconds: Seconds = 0.02
    """Wait for a batch to fill."""
    publish_concurrency: Count = 8
    """Publishing requests in flight."""
    publish_timeout_seconds: Seconds = 40.0
    """Time for one publishing request; Nakadi may hold an answer for 30 s."""
    publish_gzip: Switch = False
    """Publishing requests travel in gzip: about a seventh of the bytes for some 4 ms of CPU a MB,
    a twelfth of all that an event costs."""
    max_record_age_seconds: Seconds | None = None
    """Older changes go to the dead letter queue unpublished; needs one."""
    max_attempts: Count = 100
    """Tries before an event is a dead letter; a try counts when the event failed while others of
    its partition were submitted in the same request, so outages never count."""
    queue_bytes: Queue = 268_435_456
    """Events in memory, all shards together, at least 16 MiB; full, it suspends reading."""
    drain_seconds: Drain = 25.0
    """Longest drain after SIGTERM, more than 1 s; the platform's grace period must be about 10 s
    longer."""
    dead_letter_queue_url: HttpUrl | None = None
    """SQS queue for refused events; without it a poison event blocks its key, loudly."""
    dead_letter_limit: CountOrNone = 100
    """Dead letters within a minute that stop the event type (0: no limit)."""
    http_host: Annotated[Host | None, Shown("all interfaces")] = None
    """Address of probes, metrics and status; by default IPv4 and IPv6."""
    http_port: Port = HTTP_PORT
    """Port of probes, metrics and status; 0 takes a free one."""
    metrics_shards: CountOrNone = 10
    """Most shards that a worker's metrics name, those of greatest age; each is a time series for as
    long as a shard lives (0: none)."""
    cloudwatch_namespace: Name | None = None
    """CloudWatch namespace: once a minute a log line in the embedded metric format, of which
    CloudWatch Logs makes metrics (the ECS template's alarms need them)."""
    log_level: LogLevelName = "INFO"
    """DEBUG, INFO, WARNING, ERROR or CRITICAL."""
    log_format: LogFormatName = "json"
    """`json` for machines or `text` for people."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` collected: it knows places and unknown names, these do not."""
        return (init_settings,)

    @model_validator(mode="before")
    @classmethod
    def _follow_event_type(cls, values: dict[str, object]) -> dict[str, object]:
        if "event_type" not in values:
            return values
        named = values["event_type"]
        return {"application": named, "data_type": named, **values}

    @property
    def start_time(self) -> float | None:
        """The start as epoch seconds, None for TRIM_HORIZON and LATEST."""
        if self.start in {TRIM_HORIZON, LATEST}:
            return None
        return datetime.fromisoformat(self.start).timestamp()

    @property
    def view_types(self) -> frozenset[ViewType]:
        """The view types whose images suffice for these events."""
        if self.patch:
            return frozenset({ViewType.NEW_AND_OLD_IMAGES})
        return frozenset({ViewType.NEW_IMAGE, ViewType.NEW_AND_OLD_IMAGES})

    def lease_timing(self) -> LeaseTiming:
        """How workers prove that they live, and how often they look."""
        return LeaseTiming(
            heartbeat=self.heartbeat_seconds,
            lease_duration=self.lease_duration_seconds,
            scan=self.scan_seconds,
            discovery=self.discovery_seconds,
            checkpoint=self.checkpoint_seconds,
            drain=self.drain_seconds,
        )

    def poll_timing(self) -> PollTiming:
        """When a shard is asked again."""
        return PollTiming(
            tip=self.poll_seconds,
            idle=self.poll_idle_seconds,
            idle_max=self.poll_idle_max_seconds,
        )

    def publish_limits(self) -> PublishLimits:
        """How much travels to Nakadi at a time."""
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

    def event_format(self, stream_arn: str, partition_key: str) -> EventFormat:
        """What an event's bytes depend on; the partition key is that of the table."""
        return EventFormat(
            stream_arn=stream_arn,
            data_type=self.data_type,
            ordering_key=self.ordering_key or (partition_key,),
            patch=self.patch,
            patch_field=self.patch_field,
            change_field=self.change_field,
            layout=self.layout,
            event_bytes=self.event_bytes,
        )

    def fingerprint(self, partition_key: str) -> str:
        """The purpose of this application, as one line of JSON to compare and to show."""
        return json.dumps(
            {
                "event_type": self.event_type,
                "data_type": self.data_type,
                "ordering_key": self.ordering_key or (partition_key,),
                "layout": self.layout,
                "patch": self.patch,
            },
            ensure_ascii=False,
        )
