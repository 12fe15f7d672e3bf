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
from contextlib import suppress
from types import FrameType

from localdev.demo.arguments import parse
from localdev.demo.environment import clean
from localdev.demo.stop import INTERRUPTED

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_SECONDS = 0.05


def main() -> int:
    """Run the demo and pass signals on; return its exit code."""
    parse()  # exits at once if the arguments are wrong
    print("setting up: loading the demo", flush=True)  # its imports take a second or more
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
    if show.returncode < 0 or show.returncode == INTERRUPTED:
        print("stopped before the end: there is no verdict")
        return INTERRUPTED
    return show.returncode


if __name__ == "__main__":
    sys.exit(main())
