"""`consumer check --mapping FILE [--function FILE]`: judges an event source mapping of Lambda.

Nothing is called: the files are what the AWS CLI prints. The settings are those of the function, if
its file is given and shows them, and otherwise those of the environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from consumer.commands.check_table import table
from consumer.core.preflight.check_result import CheckResult, Severity, exit_code
from consumer.core.preflight.event_source_mapping import (
    FunctionConfiguration,
    LambdaTerms,
    read_function,
    read_mapping,
)
from consumer.core.preflight.function_fitness import judge_function
from consumer.core.preflight.mapping import judge_mapping
from consumer.errors import Misconfigured
from consumer.settings.loading import load_settings
from consumer.settings.routes import routes_of
from consumer.settings.source import FILE_VARIABLE, PREFIX

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from typing import TextIO

    from consumer.settings.settings import Settings

Read = TypeVar("Read")


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print the table of findings; return 2 if one is wrong, else 0. Raise Misconfigured."""
    mapping = _read("--mapping", arguments.mapping, read_mapping)
    function = None
    if arguments.function is not None:
        function = _read("--function", arguments.function, read_function)
    settings = load_settings(_environment(environ, function))
    terms = _terms(settings, redrive_by_mapping=arguments.redrive_by_mapping)
    results = [
        CheckResult("settings", Severity.FINE, f"application {settings.application}"),
        *judge_mapping(mapping, terms),
        *([] if function is None else judge_function(function, mapping, terms)),
    ]
    out.write(table(results))
    return exit_code(results)


def _environment(
    environ: Mapping[str, str], function: FunctionConfiguration | None
) -> Mapping[str, str]:
    """Return the variables of a function in place of those here, as far as they are ours.

    What only this machine has would hide what the function lacks. But a settings file is here under
    another path than in the function.
    """
    if function is None or function.variables is None:
        return environ
    theirs = {name: text for name, text in function.variables.items() if name.startswith(PREFIX)}
    here = environ.get(FILE_VARIABLE)
    if here and theirs.get(FILE_VARIABLE):
        theirs[FILE_VARIABLE] = here
    return {name: text for name, text in environ.items() if not name.startswith(PREFIX)} | theirs


def _terms(settings: Settings, *, redrive_by_mapping: bool) -> LambdaTerms:
    return LambdaTerms(
        partial=settings.lambda_partial,
        table=settings.table,
        stream_arn=settings.stream_arn,
        start=settings.start,
        request=settings.publish_timeout_seconds,
        letter_queue=settings.dead_letter_queue_url,
        routes=routes_of(settings, ()),
        redrive_by_mapping=redrive_by_mapping,
    )


def _read(option: str, file: str, read: Callable[[bytes], Read]) -> Read:
    """Read a file. Raise Misconfigured, without a quotation: variables may be secret."""
    try:
        return read(Path(file).read_bytes())
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Misconfigured(f"{option}: found {file!r} ({why}), wanted a file") from error
    except ValueError as error:
        raise Misconfigured(f"{option}: found {file!r}, wanted {error}") from None
