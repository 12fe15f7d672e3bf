"""Shows the main job: a table's changes become Nakadi events, in order per order, none lost.

The demo runs in a process group of its own. So Ctrl-C in the terminal, which signals a whole group,
ends neither its servers nor the consumer before the summary. When the demo has ended, all other
processes of the group are killed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from types import FrameType

from localdev.demo.arguments import parse

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_SECONDS = 0.05
_FOREIGN = ("AWS_", "CONSUMER_")
_PROXIES = {"http_proxy", "https_proxy", "all_proxy"}


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that names no other machine and no real account."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_FOREIGN) and name.lower() not in _PROXIES
    }
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def main() -> int:
    """Run the demo and pass signals on; return its exit code."""
    parse()  # exits at once if the arguments are wrong
    signals: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        signals.append(number)

    for number in _SIGNALS:
        signal.signal(number, remember)
    command = (sys.executable, "-m", "localdev.demo.show", *sys.argv[1:])
    with subprocess.Popen(command, env=clean(os.environ), process_group=0) as show:
        while show.poll() is None:
            while signals:
                signals.pop()
                show.terminate()
            time.sleep(_LOOK_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(show.pid, signal.SIGKILL)
    return show.returncode if show.returncode >= 0 else 1


if __name__ == "__main__":
    sys.exit(main())
