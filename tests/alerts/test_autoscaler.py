"""The query by which KEDA counts requests in flight: that of the busiest event type counts."""

import re
from pathlib import Path

import pytest

from tests.alerts.evaluated import evaluated
from tests.alerts.prometheus import ROOT

TEMPLATE = (ROOT / "helm/templates/scaledobject.yaml").read_text()
SELECTOR = '{namespace="shop",application="orders"}'
SLOTS = 8

# Requests in flight by event type and pod, and how many workers' worth of slots that is.
FLYING: list[tuple[dict[tuple[str, str], int], float]] = [
    ({("", "a"): 6, ("", "b"): 2}, 1.0),  # a version without the label
    ({("orders", "a"): 6, ("orders", "b"): 2}, 1.0),
    ({("orders", "a"): 6, ("payments", "a"): 8, ("orders", "b"): 2, ("payments", "b"): 8}, 2.0),
    ({("orders", "a"): 4, ("payments", "a"): 4, ("customers", "a"): 4}, 0.5),
    ({("orders", "a"): 0, ("payments", "a"): 0}, 0.0),
    ({(f"type-{number}", "a"): 4 for number in range(8)}, 1.0),  # all that they share is in use
    ({(f"type-{number}", "a"): 1 for number in range(8)}, 0.25),
]


@pytest.mark.parametrize(("flying", "workers"), FLYING)
def test_the_busiest_event_type_counts(
    tmp_path: Path, flying: dict[tuple[str, str], int], workers: float
) -> None:
    (query,) = re.findall(r"query: (.*publish_in_flight.*)", TEMPLATE)
    query = query.replace("{{ $of }}", SELECTOR)
    query = query.replace("{{ .Values.config.publish_concurrency }}", str(SLOTS))
    assert "{{" not in query
    others = 'consumer_publish_in_flight{namespace="shop",application="others",event_type="o"}'
    series = {others: "99x9"} | {
        f'consumer_publish_in_flight{SELECTOR[:-1]},event_type="{name}",pod="{pod}"}}': f"{n}x9"
        for (name, pod), n in flying.items()
    }
    assert evaluated(tmp_path, query, series, "8m") == [workers]
