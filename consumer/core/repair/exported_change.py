"""A line of an incremental export's data file: the net change of one key in the export's window."""

from __future__ import annotations

from msgspec import DecodeError, Raw, Struct, ValidationError, json

from consumer.core.event.attribute import decode_members
from consumer.core.event.malformed import MalformedItem
from consumer.core.republish.canonical import canonical


class OddExport(ValueError):
    """An export has another form than the documented one. The message is one line."""


_ABSENT = Raw(b"null")


class _Number(Struct):
    N: str


class _Metadata(Struct):
    WriteTimestampMicros: _Number


class _Line(Struct):
    Metadata: _Metadata
    Keys: Raw
    NewImage: Raw = _ABSENT
    OldImage: Raw = _ABSENT


class ExportedChange(Struct, frozen=True):
    """A key that changed, the time of its last write (epoch microseconds), and its newest image.

    `key` is the key in its one spelling. `image` is the old one of a key that was deleted; None if
    it was made and deleted in the window, and the line has none.
    """

    key: bytes
    keys: Raw
    written_at: int
    image: Raw | None


_decode = json.Decoder(_Line).decode


def read_change(line: bytes) -> ExportedChange:
    """Return the change of a line. Raise OddExport, which quotes nothing of it."""
    try:
        found = _decode(line)
        written_at = int(found.Metadata.WriteTimestampMicros.N)
        key = canonical(decode_members(found.Keys))
    except ValidationError as error:
        raise OddExport(f"a line is no exported change: {error}") from None
    except (DecodeError, MalformedItem, RecursionError):
        raise OddExport("a line is no exported change: no JSON object of the known form") from None
    except ValueError:
        raise OddExport("a line is no exported change: no WriteTimestampMicros") from None
    images = [image for image in (found.NewImage, found.OldImage) if image != _ABSENT]
    return ExportedChange(key, found.Keys, written_at, images[0] if images else None)
