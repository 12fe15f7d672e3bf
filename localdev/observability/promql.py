"""PromQL over this service's metrics, of one application, all workers together.

Ages are the maximum over workers, for each exports what it sees; rates are their sum.
"""

from typing import Final

OF: Final = 'namespace="$namespace",application="$application"'
WORKER: Final = "{{pod}} {{instance}}"
MONTH: Final = "2628000"  # seconds


def rate(name: str, by: str = "", labels: str = "") -> str:
    """Per second, all workers together, over the interval that Grafana chooses."""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate(consumer_{name}{{{OF}{labels}}}[$__rate_interval]))"


def counted(name: str, labels: str = "") -> str:
    """Return an expression for the count within the time shown.

    A series that is new counts from zero: increase() does not see what its first scrape found.
    """
    series = f"consumer_{name}{{{OF}{labels}}}"
    new = (
        f"max_over_time({series}[$__range])"
        f" unless max_over_time({series}[$__range] offset $__range)"
    )
    return f"sum (({new}) or increase({series}[$__range]))"


def gauge(how: str, name: str, by: str = "", labels: str = "") -> str:
    """A gauge, the workers' values aggregated."""
    grouping = f" by ({by})" if by else ""
    return f"{how}{grouping} (consumer_{name}{{{OF}{labels}}})"


def quantile(part: float, name: str) -> str:
    """Of a histogram."""
    return f"histogram_quantile({part}, {rate(name + '_bucket', 'le')})"
