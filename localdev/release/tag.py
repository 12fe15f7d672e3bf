"""Whether a tag may release what is here: `python -m localdev.release.tag v1.2.3`.

If so, it prints what the changelog says of the version. If not, it says in one line why, and exits
with 2.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

from consumer import __version__
from localdev.release.changelog import NoSection, section

ROOT = Path(__file__).parents[2]
_RELEASED = re.compile(r"\d+\.\d+\.\d+")


class WrongTag(Exception):
    """The tag names another version, or one that is not to be released; the text says which."""


def check(tag: str, version: str, chart: str, service_of_chart: str) -> None:
    """Raise WrongTag if not all versions are the tag's, or if they are one between releases."""
    if tag != f"v{version}":
        raise WrongTag(
            f"the tag is {tag}, but the version in consumer/__init__.py is {version}: "
            f"it must be tagged v{version}"
        )
    if not _RELEASED.fullmatch(version):
        raise WrongTag(
            f"{version} is a version between releases: give consumer/__init__.py and "
            "helm/Chart.yaml that of the release first"
        )
    if (chart, service_of_chart) != (version, version):
        raise WrongTag(
            f"helm/Chart.yaml has version {chart} and appVersion {service_of_chart}, but "
            f"consumer/__init__.py has {version}"
        )


def main(tag: str) -> int:
    """Check the tag against the files; return the exit code."""
    chart = yaml.safe_load((ROOT / "helm/Chart.yaml").read_text(encoding="utf-8"))
    try:
        check(tag, __version__, chart["version"], chart["appVersion"])
        print(section(ROOT / "CHANGELOG.md", __version__))
    except (WrongTag, NoSection) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
