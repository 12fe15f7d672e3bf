"""Coverage of the core: each module is covered, line and branch, by its own test module.

`tests/unit/core/<room>/test_<module>.py` alone must cover `consumer/core/<room>/<module>.py`. What
other tests happen to run does not count. All tests run once, in one process; a context of coverage
says which test module was at work. What a module runs when it is imported counts for all.

Hypothesis draws fewer examples here than in `make test`, and the same ones each time, so that a
line is either covered or not.
"""

from __future__ import annotations

import importlib
import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import coverage
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).parents[1]
CORE = ROOT / "consumer" / "core"
TESTS = ROOT / "tests" / "unit" / "core"

IMPORT = "import"
"""The context of what runs when a module of the core is imported."""

EXAMPLES = 25
"""Examples of each property: a quarter of the usual ones."""


class OwnContexts:
    """A plugin of pytest: what a test module runs, its import included, has its path as context."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Draw few examples, and always the same."""
        import hypothesis  # not before pytest has prepared it

        hypothesis.settings.register_profile(
            "core_coverage", hypothesis.settings.default, max_examples=EXAMPLES, derandomize=True
        )
        hypothesis.settings.load_profile("core_coverage")

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        if isinstance(collector, pytest.Module):
            self._measured.switch_context(context_of(collector.path))
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._measured.switch_context(context_of(item.path))
        return (yield)


def core_modules() -> list[Path]:
    return sorted(path for path in CORE.rglob("*.py") if path.stem != "__init__")


def context_of(test_module: Path) -> str:
    """Return the context of a test module, such as `backlog/test_queue.py`."""
    return test_module.relative_to(TESTS).as_posix()


def own_context(module: Path) -> str:
    """Return the context of the test module that belongs to a module of the core."""
    return module.relative_to(CORE).with_name(f"test_{module.name}").as_posix()


def import_all() -> None:
    for path in core_modules():
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def missing(measured: coverage.Coverage, module: Path) -> str | None:
    """Return what a module's own tests leave out, as a table; None if they cover all of it."""
    contexts = [f"^{re.escape(name)}$" for name in (IMPORT, own_context(module))]
    table = io.StringIO()
    percent = measured.report(
        include=[str(module)], contexts=contexts, show_missing=True, file=table
    )
    wanted = float(str(measured.get_option("report:fail_under")))
    return None if percent >= wanted else table.getvalue()


def main() -> int:
    """Run the tests of the core under coverage; return the exit code."""
    measured = coverage.Coverage(config_file=str(ROOT / "pyproject.toml"), data_file=None)
    measured.start()
    measured.switch_context(IMPORT)
    import_all()
    options = ["-q", "-p", "no:cacheprovider", str(TESTS)]
    failed = pytest.main(options, plugins=[OwnContexts(measured)])
    measured.stop()
    if failed:
        return int(failed)
    tables = [table for module in core_modules() if (table := missing(measured, module))]
    if tables:
        print("not covered by their own test modules:", *tables, sep="\n\n")
    return 1 if tables else 0


if __name__ == "__main__":
    sys.exit(main())
