"""`python -m localdev.aws.fetch_dynamodb_local`: unpacks DynamoDB Local's jar for tests.

The jar comes inside an npm package; it is neither committed nor passed on.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from localdev.aws.dynamodb_local import DIRECTORY, jar

PACKAGE = "amplify-dynamodb-simulator"
_PACK_SECONDS = 300.0


def fetch(directory: Path = DIRECTORY) -> str:
    """Unpack the package into a directory, and return one line that says what was done."""
    if shutil.which("npm") is None:
        return "DynamoDB Local skipped: no npm found"
    if shutil.which("java") is None:
        return "DynamoDB Local skipped: no Java found"
    present = jar(directory)
    if present is not None:
        return f"DynamoDB Local is there: {present}"
    with tempfile.TemporaryDirectory(prefix="npm-pack-") as scratch:
        packed = subprocess.run(
            ["npm", "pack", PACKAGE, "--silent", "--pack-destination", scratch],  # noqa: S607 - found above
            cwd=scratch,
            check=False,
            stdout=subprocess.DEVNULL,
            timeout=_PACK_SECONDS,
        )
        archive = next(Path(scratch).glob("*.tgz"), None)
        if packed.returncode != 0 or archive is None:
            return f"DynamoDB Local skipped: npm pack {PACKAGE} failed"
        directory.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as files:
            files.extractall(directory, filter="data")
    return f"DynamoDB Local unpacked: {jar(directory)}"


if __name__ == "__main__":
    print(fetch())
