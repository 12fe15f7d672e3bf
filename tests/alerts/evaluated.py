"""What Prometheus answers to an expression, says promtool, of series as its tests write them."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.alerts.prometheus import needed


def evaluated(folder: Path, expression: str, series: Mapping[str, str], at: str) -> list[float]:
    """The values: promtool names them, as they are not what was expected, which is nothing."""
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": each} for name, each in series.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": at, "exp_samples": []}],
    }
    (folder / "test.yml").write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
    command = [needed("promtool"), "test", "rules", str(folder / "test.yml")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    got = (result.stdout + result.stderr).partition("got:")[2]
    return [float(number) for number in re.findall(r"\} ([-+.0-9Ee]+)", got)]
