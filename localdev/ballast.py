"""Takes out of an environment what the service never loads: `python localdev/ballast.py FOLDER`.

The Dockerfile runs it on the image's packages, where three parts are more than half of what is
installed: botocore's descriptions of over 400 services, sources of extension modules, and debug
information in them. It imports the standard library only, since it runs before anything else can.
"""

from __future__ import annotations

import shutil
import struct
import sys
from pathlib import Path

SERVICES = frozenset(
    {
        "dynamodb",
        "dynamodbstreams",
        "s3",
        "secretsmanager",
        "signin",
        "sqs",
        "sso",
        "sso-oidc",
        "sts",
    }
)
"""What the service calls, and what the SDK's sources of credentials call."""

SOURCES = frozenset({".c", ".h", ".pxd", ".pxi", ".pyi", ".pyx"})

_ELF_64_LITTLE = b"\x7fELF\x02\x01"
_SEGMENTS_AT = 0x20  # e_phoff
_SECTIONS_AT = 0x28  # e_shoff
_SEGMENT_SIZE_AT = 0x36  # e_phentsize, e_phnum
_SECTION_COUNT_AT = 0x3C  # e_shnum, e_shstrndx


def remove(folder: Path, called: frozenset[str] = SERVICES) -> None:
    """Remove descriptions and sources from an environment, and debug information from its modules.

    `called` are the services whose descriptions stay. Raise ValueError if botocore's descriptions
    are not where they are looked for.
    """
    for services in folder.glob("**/botocore/data"):
        described = {each for each in services.iterdir() if each.is_dir()}
        missing = called - {each.name for each in described}
        if missing:
            raise ValueError(f"{services} describes no {', '.join(sorted(missing))}")
        for each in described:
            if each.name not in called:
                shutil.rmtree(each)
    for path in sorted(folder.rglob("*")):
        if path.suffix in SOURCES:
            path.unlink()
        elif path.suffix == ".so":
            path.write_bytes(loaded(path.read_bytes()))


def loaded(module: bytes) -> bytes:
    """Return the part of an ELF file that is loaded, and the file itself if it is of another kind.

    Segments are loaded; sections are for linkers and debuggers. Compilers write the segments first,
    so the rest is cut off, as `strip` would do it, which slim images lack; and the header then
    says that there are no sections. Where a tool has put a segment last, nothing is cut off.
    """
    if not module.startswith(_ELF_64_LITTLE):
        return module
    (start,) = struct.unpack_from("<Q", module, _SEGMENTS_AT)
    size, count = struct.unpack_from("<HH", module, _SEGMENT_SIZE_AT)
    end = 0
    for segment in range(start, start + size * count, size):
        (offset,) = struct.unpack_from("<Q", module, segment + 0x08)  # p_offset
        (length,) = struct.unpack_from("<Q", module, segment + 0x20)  # p_filesz
        end = max(end, offset + length)
    cut = bytearray(module[:end])
    struct.pack_into("<Q", cut, _SECTIONS_AT, 0)
    struct.pack_into("<HH", cut, _SECTION_COUNT_AT, 0, 0)
    return bytes(cut)


if __name__ == "__main__":
    remove(Path(sys.argv[1]))
