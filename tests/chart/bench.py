"""The bench on which the chart is proved: the tools, and all cases rendered once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.chart.rendering import CASES, Rendered, render
from tests.chart.tools import Tools
from tests.chart.values_file import CHART

PROCESSES = 4


@dataclass
class Bench:
    """`rendered` is filled by who asks first, by Helm's name."""

    tools: Tools
    chart: Path = CHART
    files: Sequence[Path] = CASES
    rendered: dict[str, list[Rendered]] = field(default_factory=dict)

    @property
    def helm(self) -> Path:
        """The newest."""
        return next(iter(self.tools.helms.values()))

    def cases(self, name: str = "") -> list[Rendered]:
        """All cases, rendered by a Helm, the newest by default."""
        name = name or next(iter(self.tools.helms))
        if name not in self.rendered:
            program = self.tools.helms[name]
            with ThreadPoolExecutor(PROCESSES) as pool:
                self.rendered[name] = [
                    *pool.map(lambda values: render(program, self.chart, values), self.files)
                ]
        return self.rendered[name]

    def case(self, name: str) -> Rendered:
        (case,) = (each for each in self.cases() if each.case == name)
        return case

    @staticmethod
    def values(name: str) -> Path:
        return CHART / "ci" / f"{name}-values.yaml"
