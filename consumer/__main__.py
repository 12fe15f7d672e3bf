"""The entry point: `consumer` and `python -m consumer`. It can be stopped before it does anything.

For the first process of a container SIGTERM has no default action: it is lost unless it is handled.
Imports take a second, or ten on a busy machine, and a worker that has missed its only SIGTERM takes
leases, publishes, and is killed. So the handler comes first, and all else is imported after it.
Commands that have to hand something over replace it; all others end at once, as by default.
"""

import os
import signal

TERMINATED = 143
"""128 + SIGTERM, as shells report it."""


def main() -> None:
    """Run the `consumer` command, and end the process with its exit code."""
    signal.signal(signal.SIGTERM, _end)
    # The image starts the process with SIGTERM blocked: one that comes before this line waits.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    from consumer import cli  # noqa: PLC0415 - not before the handler stands

    cli.main()


def _end(*_: object) -> None:
    """End at once. An exception could be caught by whatever is being imported or called."""
    os._exit(TERMINATED)


if __name__ == "__main__":
    main()
