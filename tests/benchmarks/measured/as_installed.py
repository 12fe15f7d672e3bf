"""Runs the `consumer` command as it is where it is used: without what is there for the tests only.

httpx and structlog import click and rich where these are found, which takes a tenth of a start. The
image has neither.
"""

import runpy
import sys

TESTS_ONLY = ("click", "rich")

if __name__ == "__main__":
    for name in TESTS_ONLY:
        sys.modules[name] = None  # type: ignore[assignment] # it cannot be imported
    runpy.run_module("consumer", run_name="__main__", alter_sys=True)
