"""Relations between settings: what the service refuses Helm must refuse, in the same words."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from consumer.errors import Misconfigured
from consumer.settings.loading import load_settings
from consumer.settings.rules import RULES
from consumer.settings.source import variable
from tests.chart.bench import Bench
from tests.chart.proofs.helm_proofs import STREAM
from tests.chart.rendering import helm, refusal
from tests.chart.route_schema import ROUTES
from tests.chart.schema import CREDENTIAL, SEEN

ONE_ROUTE = '[{"event_type": "order-store.order"}]'
BY_SCHEMA: Mapping[tuple[str, ...], str] = {("event_type", "routes"): "event_type"}
"""What Helm's look at the schema refuses first, and names, if both are values."""

# For each rule of the service what breaks it, and what just keeps it.
BROKEN: tuple[tuple[tuple[str, ...], Mapping[str, object]], ...] = (
    (("table", "stream_arn"), {"stream_arn": STREAM}),
    (("event_type", "routes"), {"routes": ONE_ROUTE, "application": "a"}),
    (("application", "routes"), {"routes": ONE_ROUTE, "event_type": ""}),
    *(
        (("routes", name), {"routes": ONE_ROUTE, "event_type": "", "application": "a", name: text})
        for name, text in (
            ("filter", '{"item": {"kind": {"S": ["ORDER"]}}}'),
            ("changed", "status"),
            ("include", "status"),
            ("exclude", "status"),
        )
    ),
    (
        ("nakadi_client_cert_file", "nakadi_client_key_file"),
        {"nakadi_client_key_file": "/etc/nakadi/tls.key"},
    ),
    (("heartbeat_seconds", "lease_duration_seconds"), {"lease_duration_seconds": 7.9}),
    (("heartbeat_seconds", "lease_duration_seconds"), {"heartbeat_seconds": 2.7}),
    (("scan_seconds", "lease_duration_seconds"), {"scan_seconds": 3.4}),
    (("poll_idle_seconds", "poll_idle_max_seconds"), {"poll_idle_seconds": 2.1}),
    (("poll_idle_seconds", "poll_idle_max_seconds"), {"poll_idle_max_seconds": 0.2}),
    (("max_record_age_seconds", "dead_letter_queue_url"), {"max_record_age_seconds": 72000}),
    (
        ("cloudwatch_namespace", "log_format", "log_level"),
        {"cloudwatch_namespace": "a", "log_format": "text"},
    ),
    (
        ("cloudwatch_namespace", "log_format", "log_level"),
        {"cloudwatch_namespace": "a", "log_level": "warning"},
    ),
    (("patch_field", "change_field"), {"patch_field": "change"}),
    (("patch_field", "change_field"), {"change_field": "patch"}),
    (("touch_attribute", "patch_field", "change_field"), {"touch_attribute": "change"}),
    (("touch_attribute", "patch_field", "change_field"), {"patch_field": "consumer:touch"}),
    (("layout", "patch_field", "change_field"), {"layout": "Nested", "patch_field": "item"}),
    (("layout", "patch_field", "change_field"), {"layout": "nested", "change_field": "item"}),
)
KEPT: tuple[Mapping[str, object], ...] = (
    {"nakadi_client_cert_file": "/etc/nakadi/tls.pem"},
    {"nakadi_client_cert_file": "/etc/tls.crt", "nakadi_client_key_file": "/etc/tls.key"},
    {"lease_duration_seconds": 8},
    {"lease_duration_seconds": 9.5, "heartbeat_seconds": 2.5},
    {"scan_seconds": 3.3},
    {"poll_idle_seconds": 2},
    {"poll_idle_max_seconds": 0.25},
    {"max_record_age_seconds": 72000, "dead_letter_queue_url": "https://sqs.example.org/1/q"},
    {"cloudwatch_namespace": "a", "log_level": "debug", "log_format": "JSON"},
    {"patch_field": "item", "change_field": "patch"},
    {"layout": "nested", "patch_field": "Item"},
    {"touch_attribute": "patch", "patch_field": "p"},
    {"routes": ONE_ROUTE, "event_type": "", "application": "a"},
    {"filter": '{"item": {"kind": {"S": ["ORDER"]}}}', "exclude": "a.b", "include": "a,c"},
    {"start": "2025-11-01T09:30:00.5+01:00", "ordering_key": "a, b"},
)
ELSEWHERE = (
    "--set",
    "config.heartbeat_seconds=9,config.change_field=patch",
    "--set-json",
    (
        'extraEnv=[{"name":"CONSUMER_LEASE_DURATION_SECONDS","valueFrom":{}},'
        '{"name":"CONSUMER_PATCH_FIELD","valueFrom":{}},{"name":"CONSUMER_LAYOUT","value":"nested"}]'
    ),
)
"""What nobody can tell is no mistake."""


def rules_are_known(bench: Bench) -> str:
    """Every rule has an example that breaks it, in `config` and in `extraEnv`."""
    chart, values = str(bench.chart), str(Bench.values("minimal"))
    rules = {rule.names: rule for rule in RULES if CREDENTIAL not in rule.names}
    assert {tuple(names) for names, _ in BROKEN} == {*rules}
    given = yaml.safe_load(Path(values).read_text())["config"]
    for name, program in bench.tools.helms.items():
        for names, config in BROKEN:
            wanted = rules[names].wanted
            assert wanted in service_says({**given, **config})
            sentence = f"{', '.join(map(place, names))}: wanted {wanted}."
            for as_given, seen in (
                (as_config(config), BY_SCHEMA.get(names, sentence)),
                (as_environment(config), sentence),
            ):
                said = refusal(program, "template", chart, "--values", values, *as_given)
                assert seen in said, (name, config, said)
        for config in KEPT:
            assert service_says({**given, **config}) == ""
            for as_given in (as_config(config), as_environment(config)):
                helm(program, "template", chart, "--values", values, *as_given)
        helm(program, "template", chart, "--values", values, *ELSEWHERE)
    return f"{len(BROKEN)} broken, {len(KEPT)} kept to their edge"


def service_says(config: Mapping[str, object]) -> str:
    """Empty, or its refusal."""
    try:
        load_settings({variable(name): str(value) for name, value in config.items()})
    except Misconfigured as error:
        return str(error)
    return ""


def place(name: str) -> str:
    """Where a setting stands among the values."""
    return name if name == ROUTES else f"config.{name}"


def as_config(config: Mapping[str, object]) -> tuple[str, ...]:
    flags = (f"{place(name)}={json.dumps(value)}" for name, value in config.items())
    return tuple(word for flag in flags for word in ("--set-json", flag))


def as_environment(config: Mapping[str, object]) -> tuple[str, ...]:
    """But for those that the chart itself must see."""
    own = {name: value for name, value in config.items() if name in SEEN}
    entries = [
        {"name": variable(name), "value": str(value)}
        for name, value in config.items()
        if name not in SEEN
    ]
    return (*as_config(own), "--set-json", f"extraEnv={json.dumps(entries)}")
