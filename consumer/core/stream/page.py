"""A GetRecords answer: its body split into records, each kept as the text that the service sent.

Rules: only a whole JSON object with `Records` is a page; anything else is a failed call and never
looks like a closed shard. A record without the documented shape affects no other record.
"""

import re
from collections.abc import Sequence
from itertools import repeat

from msgspec import DecodeError, Raw, Struct, field, json

from consumer.core.stream.record import (
    MalformedRecord,
    Record,
    StreamRecord,
    decode_record,
    record_of,
    sequence_of,
)

__all__ = ["MalformedRecord", "Page", "PageIncomplete", "StreamRecord", "decode_page"]


class Page(Struct, frozen=True):
    """One answer of GetRecords."""

    records: Sequence[StreamRecord | MalformedRecord]  # in the service's order
    next_iterator: str | None  # None: the shard is closed and read to its end
    size: int  # bytes of the decoded body


class PageIncomplete(ValueError):
    """The body is not one whole JSON object with `Records`: a failed call, to be repeated."""


_Records = list[StreamRecord | MalformedRecord]


class _Envelope(Struct, frozen=True):
    records: list[Raw] = field(name="Records")
    next_iterator: str | None = field(default=None, name="NextShardIterator")


class _Decoded(Struct, frozen=True):
    """A page all of whose records have the documented shape, as nearly all pages."""

    records: list[Record] = field(name="Records")
    next_iterator: str | None = field(default=None, name="NextShardIterator")


_decode_envelope = json.Decoder(_Envelope).decode
_decode_all = json.Decoder(_Decoded).decode


class _PageTexts:
    """The texts of a page's records, found when the first of them is asked for."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._texts: list[Raw] | None = None

    def __getitem__(self, number: int) -> Raw:
        if self._texts is None:
            self._texts = _decode_envelope(self._body).records
        return self._texts[number]


_not_utf8 = re.compile("[\udc80-\udcff]")  # one byte, as "surrogateescape" spells it
_escape = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half a pair
    rb"|.)",
    re.DOTALL,
)


def decode_page(body: bytes) -> Page:
    """Return the page whose JSON is `body`. Raise PageIncomplete if it is none."""
    try:
        next_iterator, records = _decode(body)
    except DecodeError as error:
        raise PageIncomplete(f"GetRecords: the body is no page: {error}") from None
    except RecursionError:
        raise PageIncomplete("GetRecords: the body is nested too deeply") from None
    if next_iterator == "":
        raise PageIncomplete("GetRecords: NextShardIterator is empty")
    return Page(records, next_iterator, len(body))


def _decode(body: bytes) -> tuple[str | None, _Records]:
    try:
        body.decode()
        try:
            page = _decode_all(body)
        except DecodeError:
            envelope = _decode_envelope(body)
            return envelope.next_iterator, [decode_record(text) for text in envelope.records]
    except (UnicodeDecodeError, DecodeError):
        return _decode_not_unicode(body)
    texts, numbers = _PageTexts(body), range(len(page.records))
    return page.next_iterator, [*map(record_of, page.records, repeat(texts), numbers)]


def _decode_not_unicode(body: bytes) -> tuple[str | None, _Records]:
    """Decode a body with text that is not Unicode: records with such text are malformed.

    What is not Unicode (half a surrogate pair, bytes that are not UTF-8) is replaced by as many
    bytes. The result can be split, and each record is compared with the bytes at its place in the
    body: if they are the same, it was not affected.
    """
    text = _not_utf8.sub("?", body.decode(errors="surrogateescape"))
    readable = _escape.sub(lambda found: b"\\ufffd" if found[1] else found[0], text.encode())
    envelope = _decode_envelope(readable)
    records: _Records = []
    end = 0
    for record in envelope.records:
        start = readable.index(bytes(record), end)
        end = start + len(bytes(record))
        raw = body[start:end]
        if raw == bytes(record):
            records.append(decode_record(record))
        else:
            records.append(MalformedRecord(raw, sequence_of(record), "text that is not Unicode"))
    return envelope.next_iterator, records
