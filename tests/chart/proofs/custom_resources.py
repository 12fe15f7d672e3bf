"""The least that the operators' own resources must look like.

Their full schemas live in their operators; what is used of them here is written down after the
documents of KEDA (2.x, keda.sh/v1alpha1) and the Prometheus operator (monitoring.coreos.com/v1),
and closed: a field that is not listed is a typo until somebody has looked it up.
"""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]


def closed(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def many(item: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": item}


TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
COUNT: Schema = {"type": "integer", "minimum": 0}
SELECTOR = closed({"matchLabels": TEXTS})

POD_MONITOR = closed(
    {
        "selector": SELECTOR,
        "podMetricsEndpoints": many(closed({"port": TEXT, "path": TEXT, "interval": TEXT})),
    }
)
RULE = closed(
    {"expr": TEXT},
    {"alert": TEXT, "record": TEXT, "for": TEXT, "labels": TEXTS, "annotations": TEXTS},
)
RULE_GROUP = closed({"name": TEXT, "rules": many(RULE)}, {"interval": TEXT})
PROMETHEUS_RULE = closed({"groups": many(RULE_GROUP)})

POLICY = closed({"type": {"enum": ["Pods", "Percent"]}, "value": COUNT, "periodSeconds": COUNT})
SCALING = closed({"stabilizationWindowSeconds": COUNT, "policies": many(POLICY)})
PROMETHEUS_TRIGGER = closed(
    {
        "type": {"const": "prometheus"},
        "name": TEXT,
        # A fallback works with an average only.
        "metricType": {"const": "AverageValue"},
        # All of them text, in KEDA's words: a map of strings.
        "metadata": closed(
            {
                "serverAddress": TEXT,
                "query": TEXT,
                "threshold": TEXT,
                "ignoreNullValues": {"const": "false"},
            }
        ),
    },
    {"authenticationRef": closed({"name": TEXT}, {"kind": TEXT})},
)
SCALED_OBJECT = closed(
    {
        "scaleTargetRef": closed({"name": TEXT}),
        "minReplicaCount": {"type": "integer", "minimum": 1},
        "maxReplicaCount": {"type": "integer", "minimum": 1},
        "pollingInterval": COUNT,
        "fallback": closed({"failureThreshold": COUNT, "replicas": COUNT}),
        "advanced": closed(
            {
                "horizontalPodAutoscalerConfig": closed(
                    {"behavior": closed({"scaleUp": SCALING, "scaleDown": SCALING})}
                )
            }
        ),
        "triggers": many(PROMETHEUS_TRIGGER),
    }
)

SPECS: Mapping[tuple[str, str], Schema] = {
    ("monitoring.coreos.com/v1", "PodMonitor"): POD_MONITOR,
    ("monitoring.coreos.com/v1", "PrometheusRule"): PROMETHEUS_RULE,
    ("keda.sh/v1alpha1", "ScaledObject"): SCALED_OBJECT,
}
"""By apiVersion and kind."""

NOT_OURS = frozenset({"ExternalSecret"})
"""An example of extraObjects."""
