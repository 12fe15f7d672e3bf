"""helm/values.schema.json, made from values.yaml and from the settings of the service.

`python -m tests.chart.schema` writes it. Closed for what is ours: a typo fails at `helm install`.
Open for what is handed to Kubernetes as it is.
"""

import json
import re
from collections.abc import Mapping

from consumer.commands import settings as settings_command
from consumer.settings.settings import Settings
from consumer.settings.source import variable
from tests.chart import route_schema
from tests.chart.values_file import CHART, Value, explained

SCHEMA = CHART / "values.schema.json"

Schema = dict[str, object]

CREDENTIAL = "nakadi_token"
"""Has no place in a ConfigMap: `token` names the Secret."""

SEEN = (
    *("application", "event_type"),
    *("nakadi_token", "nakadi_token_file", "nakadi_token_secret"),
)
"""Alerts and mounts depend on these, so `extraEnv` cannot have them, nor those below."""

DERIVED_FROM = ("drain_seconds", "http_port", "publish_concurrency", "queue_bytes")
"""The pod is made to measure for these: they must be numbers that the chart can see."""

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, never bound
"""The only hosts at which probes find the service."""

STRINGS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
OBJECTS: Schema = {"type": "array", "items": {"type": "object"}}
DNS_NAME: Schema = {"type": "string", "pattern": "^[a-z0-9.-]*$"}
LABEL: Schema = {"type": "string", "pattern": "^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$"}
"""Part of a name that must do for a Service: no dots."""

FULL_NAME: Schema = {
    "type": "string",
    "maxLength": 44,
    "pattern": "^([a-z]([a-z0-9-]*[a-z0-9])?)?$",
}
"""As it stands in front of `-redrive`, in the name of a CronJob."""

TEXT: Schema = {"type": "string", "minLength": 1}

ALERTS = CHART / "files/alerts.yaml"

SEVERITIES: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": dict.fromkeys(re.findall(r"- alert: (\w+)", ALERTS.read_text()), TEXT),
}
"""One for each alert."""

LABELS: Schema = {
    "type": "object",
    "additionalProperties": {
        "type": "string",
        "maxLength": 63,
        "pattern": "^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$",
    },
    "patternProperties": {
        "^app[.]kubernetes[.]io/(component|instance|managed-by|name|version)$": False,
        "^helm[.]sh/chart$": False,
    },
}
"""All labels but those that the chart sets."""

CONTAINERS: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {
                "not": {"enum": ["check", "consumer", "redrive", "repair", "republish", "snapshot"]}
            }
        },
    },
}
"""Beside the chart's own."""

# Narrower than what a default tells: text is a string, {} an open object, [] an open list.
NARROWER: Mapping[str, Schema] = {
    "region": {"pattern": "^([a-z]{2,}(-[a-z]+)+-[0-9]+)?$"},
    "token.key": {"pattern": "^[-._a-zA-Z0-9]+$"},
    "authorities.configMapName": DNS_NAME,
    "authorities.key": {"pattern": "^[-._a-zA-Z0-9]+$"},
    "routes": route_schema.VALUE,
    "replicas": {"minimum": 0},
    "image.repository": {"minLength": 1},
    "image.digest": {"pattern": "^(sha256:[0-9a-f]{64})?$"},
    "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "imagePullSecrets": OBJECTS,
    "nameOverride": LABEL,
    "fullnameOverride": FULL_NAME,
    "commonLabels": LABELS,
    "serviceAccount.name": DNS_NAME,
    "serviceAccount.annotations": STRINGS,
    "minReadySeconds": {"minimum": 0, "maximum": 300},
    "service.port": {"minimum": 1, "maximum": 65535},
    "service.annotations": STRINGS,
    "topologySpreadConstraints": OBJECTS,
    "networkPolicy.ingressFrom": OBJECTS,
    "networkPolicy.egressTo": OBJECTS,
    "networkPolicy.nakadiTo": OBJECTS,
    "networkPolicy.extraEgress": OBJECTS,
    "podMonitor.labels": STRINGS,
    "podMonitor.interval": {"pattern": "^[0-9]+(ms|s|m)$"},
    "alerts.labels": STRINGS,
    "alerts.pageSeverity": TEXT,
    "alerts.warningSeverity": TEXT,
    "alerts.severities": SEVERITIES,
    "alerts.ageWarningSeconds": {"minimum": 1},
    "alerts.agePageSeconds": {"minimum": 1},
    "alerts.retentionSeconds": {"minimum": 1},
    "alerts.oldestDeadLetterSeconds": {"minimum": 1},
    "alerts.routeSilenceSeconds": {"minimum": 60},
    "alerts.freshnessObjective": {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "alerts.freshnessSeconds": {"minimum": 1},
    "dashboard.labels": STRINGS,
    "dashboard.annotations": STRINGS,
    "dashboard.namespace": DNS_NAME,
    "autoscaling.minReplicas": {"minimum": 1},
    "autoscaling.maxReplicas": {"type": ["integer", "null"], "minimum": 1},
    "autoscaling.targetCores": {"exclusiveMinimum": 0, "maximum": 1},
    "autoscaling.targetInFlight": {"exclusiveMinimum": 0, "maximum": 1},
    "autoscaling.scaleDownSeconds": {"minimum": 0, "maximum": 3600},
    "hpa.minReplicas": {"minimum": 1},
    "hpa.maxReplicas": {"type": ["integer", "null"], "minimum": 1},
    "hpa.targetCores": {"type": ["number", "null"], "minimum": 0.001, "maximum": 1},
    "hpa.metrics": OBJECTS,
    "hpa.scaleDownSeconds": {"minimum": 0, "maximum": 3600},
    "redrive.args": {"items": {"type": "string"}},
    "redrive.activeDeadlineSeconds": {"minimum": 60},
    "redrive.serviceAccount.name": DNS_NAME,
    "redrive.serviceAccount.annotations": STRINGS,
    "republish.args": {"items": {"type": "string"}},
    "republish.activeDeadlineSeconds": {"minimum": 60},
    "republish.serviceAccount.name": DNS_NAME,
    "republish.serviceAccount.annotations": STRINGS,
    "repair.args": {"items": {"type": "string"}},
    "repair.activeDeadlineSeconds": {"minimum": 60},
    "repair.serviceAccount.name": DNS_NAME,
    "repair.serviceAccount.annotations": STRINGS,
    "snapshot.id": {"pattern": "^[A-Za-z0-9_.-]{0,100}$"},
    "snapshot.parallelism": {"minimum": 1},
    "snapshot.args": {"items": {"type": "string"}},
    "snapshot.activeDeadlineSeconds": {"minimum": 60},
    "snapshot.serviceAccount.name": DNS_NAME,
    "snapshot.serviceAccount.annotations": STRINGS,
    "check.serviceAccount.name": DNS_NAME,
    "check.serviceAccount.annotations": STRINGS,
    "podAnnotations": STRINGS,
    "podLabels": STRINGS,
    "nodeSelector": STRINGS,
    "tolerations": OBJECTS,
    "extraVolumes": OBJECTS,
    "extraVolumeMounts": OBJECTS,
    "initContainers": CONTAINERS,
    "extraContainers": CONTAINERS,
    "extraObjects": OBJECTS,
}

PATH = "^/[^ ]*$"
ATTRIBUTE = "[^,]*[^, ][^,]*"
"""A name in a list that commas separate."""


def values_schema() -> Schema:
    """The whole document."""
    root = _group()
    for value in explained():
        if value.path[0] != "config":
            _put(root, value)
    properties = _properties(root)
    properties["config"] = config_schema()
    properties["extraEnv"] = _environment(_properties(root)["extraEnv"])
    # What Helm hands to a chart that is a dependency of another one.
    properties["global"] = {"type": "object"}
    properties["enabled"] = {"type": "boolean"}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values",
        "definitions": route_schema.DEFINITIONS,
        **root,
        **route_schema.ONE_OF_TWO,
    }


def config_schema() -> Schema:
    """The settings, as their model has them; the token has no place in a ConfigMap."""
    whole = Settings.model_json_schema(schema_generator=route_schema.Lenient)
    meanings = {line.name: line.meaning for line in settings_command.setting_lines()}
    properties: Schema = {
        name: _setting(name, model, whole.get("$defs", {}), meanings[variable(name)])
        for name, model in whole["properties"].items()
        if name not in (CREDENTIAL, route_schema.ROUTES)
    }
    return {
        "type": "object",
        "description": "Settings of the service, by their own names; see `consumer settings`.",
        "additionalProperties": False,
        "required": list(DERIVED_FROM),
        "properties": properties,
    }


def _setting(name: str, model: Schema, defs: Schema, meaning: str) -> Schema:
    """A schema for YAML: empty text and null mean unset, and there is no coercion."""
    kinds = model.get("anyOf", [model])
    assert isinstance(kinds, list)
    (kind,) = (each for each in kinds if each.get("type") != "null")
    if "$ref" in kind:
        kind = defs[str(kind["$ref"]).rsplit("/", 1)[-1]]
        assert isinstance(kind, dict)
    kept = ("minimum", "exclusiveMinimum", "maximum", "maxLength")
    schema: Schema = {key: kind[key] for key in kept if key in kind}
    schema["description"] = meaning
    if name in DERIVED_FROM:
        return {"type": kind["type"], **schema, **({"minimum": 1} if name == "http_port" else {})}
    if name == "http_host":  # probes come from outside
        return {"enum": [*EVERYWHERE, "", None], **schema}
    if kind["type"] == "array":
        name_pattern = str(kind.get("pattern", f"^({ATTRIBUTE})$")).removeprefix("^")
        return {**schema, **_list(f" *{name_pattern.removesuffix('$')} *")}
    return {"type": [kind["type"], "null"], **schema, **_form(kind)}


def _form(kind: Schema) -> Schema:
    """The pattern of a text; words count in any case. The service looks again at all of it."""
    pattern = PATH if kind.get("format") == "path" else kind.get("pattern")
    if "enum" in kind:
        words = kind["enum"]
        assert isinstance(words, list)
        pattern = "^" + "|".join(_any_case(word) for word in words) + "$"
    if pattern is None:
        return {}
    return {"pattern": f"^({str(pattern).removeprefix('^').removesuffix('$')})?$"}


def _any_case(word: str) -> str:
    """As a pattern without flags, which JSON schemas do not have."""
    return "".join(f"[{letter.upper()}{letter.lower()}]" for letter in word)


def _list(name: str) -> Schema:
    """Names of this pattern, as YAML has lists or as the environment has them."""
    items = {"type": "string", "pattern": f"^{name}$"}
    text = {"type": "string", "pattern": f"^({name}(,{name})*)?$"}
    return {
        "anyOf": [{"type": "array", "items": items, "uniqueItems": True}, text, {"type": "null"}]
    }


def _environment(described: object) -> Schema:
    """A setting from elsewhere (`valueFrom`) is named rightly, or it is no setting."""
    assert isinstance(described, dict)
    names = [variable(name) for name in Settings.model_fields if name not in DERIVED_FROM + SEEN]
    name = {"anyOf": [{"not": {"pattern": "^CONSUMER_"}}, {"enum": names}]}
    item = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "minLength": 1, **name}},
    }
    return {**described, "items": item}


def _put(root: Schema, value: Value) -> None:
    at = root
    for key in value.path[:-1]:
        inner = _properties(at).setdefault(key, _group())
        assert isinstance(inner, dict)
        at = inner
    told = _type(value.default)
    _properties(at)[value.path[-1]] = {
        **told,
        **NARROWER.get(value.name, {}),
        "description": value.meaning,
    }


def _group() -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _properties(group: Schema) -> Schema:
    properties = group["properties"]
    assert isinstance(properties, dict)
    return properties


def _type(default: object) -> Schema:
    match default:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case float():
            return {"type": "number"}
        case str():
            return {"type": "string"}
        case list():
            return {"type": "array"}
        case dict():
            return {"type": "object"}
        case _:
            return {}


def as_text() -> str:
    return json.dumps(values_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(as_text())
