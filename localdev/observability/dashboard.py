"""The dashboard: `python -m localdev.observability.dashboard` writes helm/files/dashboard.json."""

import json
import sys
from pathlib import Path
from typing import Final

from localdev.observability.event_type_row import EVENT_TYPES
from localdev.observability.grafana import DATASOURCE, SCHEMA_VERSION, Json, placed
from localdev.observability.publishing_row import PUBLISHING
from localdev.observability.stream_rows import HEADLINE, STREAMS
from localdev.observability.worker_rows import COST, LEASES, RESOURCES

FILE: Final = Path(__file__).parents[2] / "helm/files/dashboard.json"
ROWS: Final = (HEADLINE, STREAMS, PUBLISHING, EVENT_TYPES, LEASES, RESOURCES, COST)


def _query_variable(name: str, label: str, selector: str) -> Json:
    query = f"label_values(consumer_build_info{selector}, {name})"
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": name, "qryType": 1},
        "refresh": 2,
        "sort": 1,
        "current": {},
        "includeAll": False,
        "multi": False,
    }


def _price(name: str, label: str, dollars: str) -> Json:
    return {
        "type": "textbox",
        "name": name,
        "label": label,
        "query": dollars,
        "current": {"text": dollars, "value": dollars},
    }


def dashboard() -> Json:
    """Return the whole document."""
    datasource: Json = {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "current": {},
        "refresh": 1,
    }
    return {
        "uid": "dynamodb-nakadi-consumer",
        "title": "DynamoDB to Nakadi",
        "description": "A stream's changes on their way to Nakadi. The runbook has the alerts.",
        "tags": ["dynamodb", "nakadi"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                datasource,
                _query_variable("namespace", "Namespace", ""),
                _query_variable("application", "Application", '{namespace="$namespace"}'),
                _price("read_price", "$ per million GetRecords", "0.20"),
                _price("write_price", "$ per million writes", "0.625"),
            ]
        },
        "annotations": {"list": []},
        "links": [],
        "panels": placed(ROWS),
    }


def text() -> str:
    """Return the text of the file."""
    return json.dumps(dashboard(), indent=2) + "\n"


def main() -> int:
    """Write the file."""
    FILE.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
