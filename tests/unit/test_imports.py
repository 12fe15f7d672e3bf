"""While a process imports what it keeps, nobody looks for garbage; afterwards somebody does."""

import gc
from importlib import import_module

import pytest

from consumer import imports


def test_garbage_is_looked_for_again_after_an_import_that_failed_too() -> None:
    looked_for = []

    def import_what_is_not_there() -> None:
        with imports.kept():
            looked_for.append(gc.isenabled())
            import_module("consumer.not_there")

    with pytest.raises(ModuleNotFoundError):
        import_what_is_not_there()
    assert (looked_for, gc.isenabled()) == ([False], True)
