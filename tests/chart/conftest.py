"""The tools, once; without them these tests are skipped with the reason."""

import pytest

from tests.chart.tools import Missing, Tools, tools


@pytest.fixture(scope="session")
def kit() -> Tools:
    try:
        return tools()
    except Missing as error:
        pytest.skip(str(error))
