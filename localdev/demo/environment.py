"""The environment of the demo's processes, and the shell script that gives it to a terminal."""

import os
import shlex
from collections.abc import Mapping

NO_ACCOUNT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_FOREIGN = ("AWS_", "CONSUMER_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")

_SCRIPT = """\
# Leads the consumer's commands to the servers of `make run`, as long as it runs. For example, in
# the root of the repository: source .run/demo/env && .venv/bin/consumer leases --watch
if ! kill -0 {pid} 2> /dev/null; then
  echo "the demo has ended, and its servers with it; start it again: make run" >&2
  return 1
fi
unset {proxies} $(env | grep -Eo '^({foreign})[A-Za-z0-9_]*')
{exports}
"""


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that names no other machine and no real account."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_FOREIGN) and name.lower() not in _PROXIES
    }
    return kept | NO_ACCOUNT


def shell_script(settings: Mapping[str, str], pid: int) -> str:
    """Return what a shell reads with `source`: it fails once the process `pid` has ended.

    It removes what `clean` removes, and sets `settings`.
    """
    return _SCRIPT.format(
        pid=pid,
        proxies=" ".join((*_PROXIES, *map(str.upper, _PROXIES))),
        foreign="|".join(_FOREIGN),
        exports="\n".join(
            f"export {name}={shlex.quote(value)}" for name, value in settings.items()
        ),
    )
