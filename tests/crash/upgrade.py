"""Rolls workers from an older version to this one under load, and back, and judges.

python -m tests.crash.upgrade --from REF [--routes]

With --routes this version has a list with one route, as the README moves an event type, and the
older one its single event type. REF is a commit or tag of this repository. Worker after worker is
told to end and replaced by one of the other version, so both work side by side on the same leases.
Nothing may be lost or overtaken, and an orderly change of versions makes no duplicate. Exit code 1
otherwise.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.crash.installation import alive, all_held, installation, settled
from tests.crash.one_route import as_one_route
from tests.integration.cluster import Cluster
from tests.integration.load import Load

ROOT = Path(__file__).parents[2]
WORKERS = 3
SHARDS = 12
HELD_SECONDS = 60.0
PER_SECOND = 100
BESIDE_SECONDS = 12.0  # longer than a lease duration


def main(ref: str, *, routes: bool) -> int:
    """Roll forth and back; 0 if nothing went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        older = Path(folder, "older")
        git("worktree", "add", "--detach", "--quiet", str(older), ref)
        try:
            return judge(older, Path(folder), ref, routes=routes)
        finally:
            git("worktree", "remove", "--force", str(older))


def git(*words: str) -> None:
    subprocess.run(("git", "-C", str(ROOT), *words), check=True)


def judge(older: Path, folder: Path, ref: str, *, routes: bool) -> int:
    ours = as_one_route(folder) if routes else {}
    with installation(folder, shards=SHARDS) as cluster:
        for _ in range(WORKERS):
            cluster.start_version(older)
        with Load(cluster, PER_SECOND):
            until_held(cluster)
            for name, path, settings in (("this version", ROOT, ours), (ref, older, {})):
                roll(cluster, name, path, settings)
                split(cluster)
        verdict = settled(cluster)
        ended = [worker.process.poll() for worker in cluster.workers]
        codes = {code for code in ended if code is not None}
        crashed = [w.log.name for w in cluster.workers if "Traceback" in w.log.read_text()]
    print(f"{verdict}, exit codes {sorted(codes)}, tracebacks {crashed}")
    wrong = verdict.lost or verdict.out_of_order or verdict.duplicated or codes != {0} or crashed
    return int(bool(wrong))


def roll(cluster: Cluster, name: str, path: Path, settings: Mapping[str, str]) -> None:
    """Replace one worker after the other, as a deployment does: the new one comes first."""
    for number, worker in enumerate(alive(cluster), start=1):
        cluster.start_version(path, **settings)
        until_held(cluster)
        code, seconds = worker.stop(signal.SIGTERM)
        until_held(cluster)
        print(f"{number} of {WORKERS} is {name}; the other ended with {code} in {seconds:.1f} s")
        time.sleep(BESIDE_SECONDS if number == 1 else 0)


def until_held(cluster: Cluster) -> None:
    cluster.until(lambda: all_held(cluster), "every shard is held by one", HELD_SECONDS)


def split(cluster: Cluster) -> None:
    """Shards whose parents were read by one version, and which the other takes over."""
    cluster.streams.control("split", shard="random", children=2)
    until_held(cluster)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or what it has started would live on
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--from", dest="ref", required=True, help="the older version")
    asked.add_argument("--routes", action="store_true", help="this version has a list of routes")
    words = asked.parse_args()
    sys.exit(main(words.ref, routes=words.routes))
