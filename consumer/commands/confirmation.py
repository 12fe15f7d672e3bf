"""Asks people before a command acts."""

from __future__ import annotations

import sys

from consumer.errors import Misconfigured


def confirm(question: str, *, to: str, done: str) -> None:
    """Ask for a typed yes. Raise Misconfigured without one.

    `question` ends with what separates it from the request to type. `to` says what the command
    wants to do, and `done` what was not done, in one word.
    """
    if not sys.stdin.isatty():
        raise Misconfigured(
            f"--yes: found neither it nor a terminal to ask at; add it to {to} without a question"
        )
    sys.stderr.write(f"{question}Type yes to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != "yes":
        raise Misconfigured(f"not confirmed, nothing was {done}")
