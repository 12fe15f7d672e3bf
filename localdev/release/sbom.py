"""The bill of materials of the image: `python -m localdev.release.sbom FILE` writes CycloneDX JSON.

It lists the packages of requirements/run.txt, which are all that the image has beside its base,
with the versions and licences that they state when they are installed. Nothing is fetched, and the
same packages make the same file.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from consumer import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SERVICE = "dynamodb-nakadi-consumer"
REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "run.txt"
UNKNOWN = "unknown"
_PINNED = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_BSD = "Neither the name of"
_OSI = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Component:
    """A package in the image."""

    name: str
    version: str
    licence: str

    @property
    def purl(self) -> str:
        """The package URL, by which scanners know it."""
        return f"pkg:pypi/{self.name}@{self.version}"

    def as_json(self) -> dict[str, object]:
        """Return the member of `components`."""
        return {
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "licenses": [{"license": {"name": self.licence}}],
            "purl": self.purl,
        }


def components() -> Iterator[Component]:
    """Yield the pinned packages that are installed here; others are for other systems.

    Raise ValueError if another version is installed than the image gets.
    """
    for name, version in _PINNED.findall(REQUIREMENTS.read_text()):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        if found.version != version:
            raise ValueError(f"{name}: {found.version} is installed, {version} is pinned")
        yield Component(name, version, licence_of(found))


def licence_of(found: Distribution) -> str:
    """Return the licence as the package states it: an expression, classifiers, or a name."""

    def stated(field: str) -> list[str]:
        values: list[str] | None = found.metadata.get_all(field)
        return values or []

    if expression := stated("License-Expression"):
        return expression[0]
    named = [text.removeprefix(_OSI) for text in stated("Classifier") if text.startswith(_OSI)]
    text = "".join(stated("License")[:1]).strip()
    if _BSD in text:  # the whole licence in place of its name
        text = "BSD-3-Clause"
    return " AND ".join(named) or text or UNKNOWN


def document(service_version: str, found: Sequence[Component]) -> dict[str, object]:
    """Return the whole document."""
    service = f"pkg:pypi/{SERVICE}@{service_version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": service,
                "name": SERVICE,
                "version": service_version,
                "licenses": [{"license": {"name": "MIT"}}],
                "purl": service,
            }
        },
        "components": [each.as_json() for each in found],
    }


def write(file: Path) -> tuple[Component, ...]:
    """Write the file; return what it lists."""
    found = tuple(components())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document(__version__, found), indent=2) + "\n")
    return found


def main(file: Path) -> None:
    """Write the file, and print a line for each package."""
    found = write(file)
    width = max(len(each.name) for each in found)
    for each in found:
        print(f"{each.name:{width}}  {each.version:10}  {each.licence}")
    print(f"{file}: {len(found)} packages of the image, in the format CycloneDX 1.6")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
