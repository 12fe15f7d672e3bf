"""values.yaml, its schema and its README belong together, and to the service. No tool is needed."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

import consumer
from consumer.settings.loading import load_settings
from consumer.settings.settings import Settings
from consumer.settings.source import variable
from tests.chart import readme, schema
from tests.chart.proofs.manifest_proofs import EXCEPTIONS, OLDEST
from tests.chart.rendering import CASES
from tests.chart.values_file import CHART, VALUES, explained, leaves

DEFAULTS = yaml.safe_load(VALUES.read_text())
CONFIG = Draft7Validator(schema.config_schema())


def test_the_schema_is_made_from_values_and_settings() -> None:
    assert schema.SCHEMA.read_text() == schema.as_text(), "python -m tests.chart.schema"


def test_the_readme_has_the_table_of_values() -> None:
    assert readme.BLOCK.findall(readme.README.read_text()) == [readme.table()], (
        "python -m tests.chart.readme"
    )


def test_every_value_is_explained() -> None:
    names = [value.path for value in explained()]
    assert len(set(names)) == len(names)
    for leaf in leaves(DEFAULTS):
        assert any(leaf[: len(name)] == name for name in names), leaf
    assert all(value.meaning.endswith(".") for value in explained())


def test_every_narrower_rule_is_about_a_value() -> None:
    assert schema.NARROWER.keys() <= {value.name for value in explained()}


def closed_objects(part: dict[str, Any]) -> bool:
    groups = [each for each in part["properties"].values() if "properties" in each]
    return part["additionalProperties"] is False and all(map(closed_objects, groups))


def test_groups_are_closed_and_what_is_handed_on_is_open() -> None:
    whole = json.loads(schema.as_text())
    assert closed_objects(whole)
    for name in ("affinity", "podSecurityContext", "securityContext", "resources"):
        assert "additionalProperties" not in whole["properties"][name]
    Draft7Validator.check_schema(whole)


@pytest.mark.parametrize("values", CASES, ids=lambda values: values.stem)
def test_values_of_a_case_obey_the_schema(values: Path) -> None:
    """Helm judges them merged with the defaults; alone they lack what is required."""
    merged = merge(
        DEFAULTS,
        yaml.safe_load(
            values.read_text(),
        ),
    )
    Draft7Validator(schema.values_schema()).validate(as_json(merged))


def test_every_case_says_what_it_is_for() -> None:
    assert all(values.read_text().startswith("# ") for values in CASES)


# Values in YAML that the service takes, beside its required settings.
ACCEPTED = [
    ("start", "TRIM_HORIZON"),
    ("start", "Latest"),
    ("start", "2025-11-01T09:30:00+01:00"),
    ("start", "2025-11-01T09:30:00.123456Z"),
    ("table", "a.B-c_9"),
    ("lease_table", "leases"),
    ("nakadi_url", "https://nakadi.example.org:65535/a/"),
    ("nakadi_url", "HTTP://[::1]:8080"),
    ("nakadi_url", "https://n:0443"),
    ("queue_bytes", 16777216),
    ("stream_arn", "arn:aws:dynamodb:eu-central-1:1:table/t/stream/2025-11-01T00:00:00.000"),
    ("nakadi_url", "http://127.0.0.1:8090/nakadi"),
    ("nakadi_token_file", "/var/run/token"),
    ("ordering_key", ["a", "b"]),
    ("ordering_key", "a, b"),
    ("http_allowed_hosts", ["relay.example.org", "relay"]),
    ("http_allowed_hosts", "Relay.example.org, relay"),
    ("layout", "nested"),
    ("layout", None),
    ("stream_prefix", "eu-central-1.b:~_"),
    ("stream_prefix", None),
    ("touch_attribute", "_relay.touch:-"),
    ("patch", False),
    ("linger_seconds", 0.001),
    ("drain_seconds", 1.001),
    ("max_record_age_seconds", None),
    ("dead_letter_limit", 0),
    ("dead_letter_queue_url", ""),
    ("http_host", "::"),
    ("log_level", "ERROR"),
    ("log_level", "info"),
    ("log_format", "Text"),
    ("layout", "NESTED"),
]
# What it refuses, and what the schema sees without it.
REFUSED = [
    ("start", "yesterday"),
    ("start", "2026-13-45"),
    ("start", "2025-13-01T09:30:00Z"),
    ("start", "2025-11-01T25:30:00Z"),
    ("start", "2025-11-01T09:30:00"),
    ("stream_arn", "arn:aws:dynamodb:eu-central-1:1:table/t"),
    ("stream_arn", "arn:aws:kinesis:eu-central-1:1:stream/t"),
    ("table", "a/b"),
    ("table", "ab"),
    ("lease_table", "arn:aws:dynamodb:eu-central-1:1:table/t"),
    ("event_type", "a/b"),
    ("application", "a\tb"),
    ("nakadi_url", "nakadi.example.org"),
    ("nakadi_url", "https://n:99999"),
    ("nakadi_url", "https://n:0"),
    ("nakadi_url", "https://user:word@n"),
    ("nakadi_url", "https://n/?a=b"),
    ("nakadi_url", "https://n/a b"),
    ("nakadi_url", "https://[1"),
    ("dead_letter_queue_url", "arn:aws:sqs:eu-central-1:1:letters"),
    ("ordering_key", "a,,b"),
    ("ordering_key", ["a", "a"]),
    ("ordering_key", ["a", " "]),
    ("http_allowed_hosts", "relay:8080"),
    ("http_allowed_hosts", ["https://relay"]),
    ("queue_bytes", 16777215),
    ("drain_seconds", 1),
    ("patch", "yes please"),
    ("linger_seconds", 0),
    ("batch_bytes", 999),
    ("batch_bytes", 50_000_001),
    ("event_bytes", 5_000_000),
    ("publish_concurrency", 100_000),
    ("probe_seconds", 86_401),
    ("batch_events", 1.5),
    ("event_type", "x" * 256),
    ("layout", "deep"),
    ("stream_prefix", "b/"),
    ("stream_prefix", 'b"'),
    ("stream_prefix", "b" * 33),
    ("touch_attribute", "a/b"),
    ("touch_attribute", "ä"),
    ("touch_attribute", "a" * 256),
    ("log_level", "LOUD"),
    ("http_port", 65536),
]


def service_says(name: str, value: object) -> str:
    """Empty, or the service's refusal of a value as the chart hands it on."""
    config = {"table": "orders", "nakadi_url": "https://n", "event_type": "e", name: value}
    if name == "stream_arn":
        del config["table"]
    texts = {
        variable(key): ",".join(each) if isinstance(each, list) else str(each).lower()
        if isinstance(each, bool) else str(each)
        for key, each in config.items()
        if each is not None
    }  # fmt: skip
    try:
        load_settings(texts)
    except consumer.errors.Misconfigured as error:
        return str(error)
    return ""


def schema_says(name: str, value: object) -> list[str]:
    required = {each: DEFAULTS["config"][each] for each in schema.DERIVED_FROM}
    return [error.message for error in CONFIG.iter_errors({**required, name: value})]


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_the_schema_takes_what_the_service_takes(name: str, value: object) -> None:
    assert service_says(name, value) == ""
    assert schema_says(name, value) == []


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_the_schema_refuses_what_the_service_refuses(name: str, value: object) -> None:
    assert service_says(name, value) != ""
    assert schema_says(name, value) != []


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_default_is_a_value(name: str) -> None:
    default = Settings.model_fields[name].default
    if name != schema.CREDENTIAL and isinstance(default, (int, float, str, type(None))):
        shown = default if name not in schema.DERIVED_FROM else DEFAULTS["config"][name]
        assert schema_says(name, shown) == []


def test_chart_and_service_are_released_together() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == consumer.__version__
    assert chart["kubeVersion"] == f">={OLDEST}.0-0"


def test_exceptions_have_reasons() -> None:
    for each in yaml.safe_load(EXCEPTIONS.read_text()):
        assert each.keys() == {"id", "says", "because"}
        assert len(each["because"]) > 40


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", readme.README.read_text()):
        assert (CHART / target).exists(), target


def test_commands_of_the_readme_are_about_one_namespace() -> None:
    """A pod waits for ever for a Secret in another one."""
    (block,) = re.findall(r"```sh\n(.*?)```", readme.README.read_text(), re.DOTALL)
    first, *others = re.findall(r"^(?:kubectl|helm) .*$", block, re.MULTILINE)
    assert first == "kubectl create namespace shop"
    assert len(others) == 3
    assert all(" --namespace shop " in f"{line} " for line in others)


def merge(base: Any, over: Any) -> Any:
    """As Helm merges: maps by key, everything else replaces."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: merge(base.get(key), each) for key, each in over.items()}}
    return over


def as_json(value: object) -> Any:
    """YAML knows dates, JSON and Helm do not."""
    return json.loads(json.dumps(value, default=datetime.isoformat))
