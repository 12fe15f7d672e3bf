"""Rules that concern several settings together.

`loading` refuses settings that break a rule, and `consumer settings` prints the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.limits import MARGIN_SECONDS
from consumer.settings.source import ROUTES, variable

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.settings.settings import Settings

NESTED_ITEM = "item"
"""Member of `data` that has the item in the nested layout."""

NO_APPLICATION = "not-set"
"""Stands for an application that was not given."""

HEARTBEATS_PER_LEASE = 3
SCANS_PER_LEASE = 3


class Rule(Struct, frozen=True):
    """`wanted` says in words what `holds` checks of the settings in `names`."""

    names: tuple[str, ...]
    wanted: str
    holds: Callable[[Settings], bool]

    def broken_by(self, settings: Settings) -> str:
        """Return the line for the operator: the settings, what was found and what is wanted."""
        return f"{', '.join(variable(name) for name in self.names)}: {self.found_in(settings)}"

    def found_in(self, settings: Settings) -> str:
        """Return what was found and what is wanted."""
        found = " and ".join(_shown(name, getattr(settings, name)) for name in self.names)
        return f"found {found}, wanted {self.wanted}"


def _shown(name: str, value: object) -> str:
    if name == "filter" and value is not None:
        return "a filter"  # which may name people
    if value in (None, (), NO_APPLICATION):
        return "nothing"
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case tuple():
            return "1 of them" if len(value) == 1 else f"{len(value)} of them"
        case _:
            return str(value)  # a SecretStr is shown as stars


def _each_route_has_its_own(name: str) -> Rule:
    return Rule(
        (ROUTES, name),
        "at most one of the two: each route has its own",
        lambda s: not s.routes or not getattr(s, name),
    )


RULES = (
    Rule(
        ("table", "stream_arn"),
        "exactly one of the two",
        lambda s: (s.table is None) != (s.stream_arn is None),
    ),
    Rule(
        ("event_type", "routes"),
        "only one of the two",
        lambda s: s.event_type is None or not s.routes,
    ),
    Rule(
        ("application", "routes"),
        "the name of the application if there are routes",
        lambda s: s.application != NO_APPLICATION or not s.routes,
    ),
    *map(_each_route_has_its_own, ("filter", "changed", "include", "exclude")),
    Rule(
        ("nakadi_token", "nakadi_token_file", "nakadi_token_secret"),
        "at most one of the three",
        lambda s: [s.nakadi_token, s.nakadi_token_file, s.nakadi_token_secret].count(None) > 1,
    ),
    Rule(
        ("nakadi_client_cert_file", "nakadi_client_key_file"),
        "a certificate if there is a key",
        lambda s: s.nakadi_client_key_file is None or s.nakadi_client_cert_file is not None,
    ),
    Rule(
        ("heartbeat_seconds", "lease_duration_seconds"),
        f"three heartbeats to fit into the lease duration less a margin of {MARGIN_SECONDS:g} s",
        lambda s: (
            HEARTBEATS_PER_LEASE * s.heartbeat_seconds <= s.lease_duration_seconds - MARGIN_SECONDS
        ),
    ),
    Rule(
        ("scan_seconds", "lease_duration_seconds"),
        "a scan interval of at most a third of the lease duration",
        lambda s: SCANS_PER_LEASE * s.scan_seconds <= s.lease_duration_seconds,
    ),
    Rule(
        ("poll_idle_seconds", "poll_idle_max_seconds"),
        "a longest pause that is no shorter than the shortest",
        lambda s: s.poll_idle_seconds <= s.poll_idle_max_seconds,
    ),
    Rule(
        ("max_record_age_seconds", "dead_letter_queue_url"),
        "a dead letter queue if there is a limit of age: older changes are sent there",
        lambda s: s.max_record_age_seconds is None or s.dead_letter_queue_url is not None,
    ),
    Rule(
        ("cloudwatch_namespace", "log_format", "log_level"),
        "json and INFO (or DEBUG) if there is a namespace: the metrics are lines of the log",
        lambda s: (
            s.cloudwatch_namespace is None
            or (s.log_format == "json" and s.log_level in {"DEBUG", "INFO"})
        ),
    ),
    Rule(
        ("patch_field", "change_field"),
        "two different names",
        lambda s: s.patch_field != s.change_field,
    ),
    Rule(
        ("touch_attribute", "patch_field", "change_field"),
        "a touch attribute that has another name: it is in no event",
        lambda s: s.touch_attribute not in {s.patch_field, s.change_field},
    ),
    Rule(
        ("layout", "patch_field", "change_field"),
        f"neither name to be {NESTED_ITEM!r} in the nested layout",
        lambda s: s.layout != "nested" or NESTED_ITEM not in {s.patch_field, s.change_field},
    ),
)
