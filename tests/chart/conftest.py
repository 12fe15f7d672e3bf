"""The tools, once; without them these tests are skipped with the reason."""

import pytest

from tests.chart.tools import CannotFetch, Tools, tools


@pytest.fixture(scope="session")
def kit() -> Tools:
    try:
        return tools()
    except CannotFetch as error:
        pytest.skip(f"helm, kubernetes-validate or trivy is missing; `make chart` says: {error}")
