"""The table of values in helm/README.md; `python -m tests.chart.readme` writes it."""

import re

from tests.chart.values_file import CHART, explained

README = CHART / "README.md"
BLOCK = re.compile(r"(?<=<!-- values:begin -->\n).*?(?=<!-- values:end -->)", re.DOTALL)


def table() -> str:
    """One row a value, in the order of values.yaml."""
    rows = [
        f"| `{value.name}` | `{value.shown}` | {value.meaning.replace('|', '&#124;')} |"
        for value in explained()
    ]
    return "\n".join(["| value | default | meaning |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    README.write_text(BLOCK.sub(lambda _: table(), README.read_text()))
