"""The stream that benchmarks read: as many of the benchmark's records as are asked for.

Record n of a shard is the same text in every run. Some thousand different ones repeat under new
keys, event ids and sequence numbers, so each of them makes an event of its own.
"""

import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from tests.benchmarks.records import CREATED_AT, STREAM_ARN, record

RECORDS_PER_PAGE = 500
"""These make 0.9 MB; GetRecords ends a page at 1 MB."""

KEYS = 100_000
"""Items of each shard, changed round and round."""

FIRST_SEQUENCE = 4 * 10**23
_SHARD_SPAN = 10**12  # sequence numbers of each shard
DIFFERENT = 4_000
_GZIP_LEVEL = 1
_THREADS = 2

__all__ = ["KEYS", "RECORDS_PER_PAGE", "STREAM_ARN", "PreparedStream", "place", "shard_id"]


def shard_id(shard: int) -> str:
    return f"shardId-{1793525400000:020}-{shard:08x}"


def sequence(shard: int, number: int) -> int:
    return FIRST_SEQUENCE + shard * _SHARD_SPAN + number


def place(sequence_number: int) -> tuple[int, int]:
    """Shard and number of a record, from its sequence number."""
    return divmod(sequence_number - FIRST_SEQUENCE, _SHARD_SPAN)


class PreparedStream:
    """`shards` of `records` each. `gzip`: compressed pages of all of them are made beforehand."""

    def __init__(self, shards: int, records: int, *, gzip: bool) -> None:
        self.shards = shards
        self._records = records
        self._templates = [_template(number) for number in range(min(records, DIFFERENT))]
        self._compressed: dict[tuple[int, int], bytes] = {}
        if gzip:
            starts = range(0, records, RECORDS_PER_PAGE)
            places = [(shard, start) for shard in range(shards) for start in starts]
            with ThreadPoolExecutor(_THREADS) as pool:
                self._compressed.update(zip(places, pool.map(self._compress, places), strict=True))

    def open(self) -> None:
        """The records may be read from now on."""

    def end(self, shard: int) -> int:
        """How many records the shard has now."""
        return self._records

    def compressed(self, shard: int, start: int) -> bytes | None:
        """A page's body in gzip, if there is one that begins with record `start`."""
        return self._compressed.get((shard, start))

    def _compress(self, place: tuple[int, int]) -> bytes:
        packer = zlib.compressobj(_GZIP_LEVEL, wbits=zlib.MAX_WBITS | 16)
        return packer.compress(self.page(*place)) + packer.flush()

    def page(self, shard: int, start: int) -> bytes:
        """The body of the answer to an iterator at record `start`."""
        end = min(self.end(shard), start + RECORDS_PER_PAGE)
        records = b",".join(self._record(shard, number) for number in range(start, end))
        return b'{"Records":[%b],"NextShardIterator":"%d:%d"}' % (records, shard, end)

    def _record(self, shard: int, number: int) -> bytes:
        pieces = self._templates[number % len(self._templates)]
        key = b"o-%02d%07d" % (shard, number % KEYS)
        event_id = b"%032x" % (shard * _SHARD_SPAN + number)
        values = {
            b"k": key,
            b"e": event_id,
            b"s": b"%d" % sequence(shard, number),
            b"t": b"%d" % self._created_at(shard, number),
        }
        return b"".join([values.get(piece, piece) for piece in pieces])

    def _created_at(self, shard: int, number: int) -> int:
        return CREATED_AT


def _template(number: int) -> list[bytes]:
    """A record's text, cut where its key, event id, number and time belong."""
    made = record(number)
    key = made["dynamodb"]["Keys"]["order_id"]["S"]
    pieces = [json.dumps(made, separators=(",", ":"), ensure_ascii=False)]
    for name, value in (
        ("k", key),
        ("e", made["eventID"]),
        ("s", made["dynamodb"]["SequenceNumber"]),
        ("t", str(made["dynamodb"]["ApproximateCreationDateTime"])),
    ):
        pieces = list(chain.from_iterable(_cut(piece, value, name) for piece in pieces))
    return [piece.encode() for piece in pieces]


def _cut(piece: str, value: str, name: str) -> list[str]:
    parts = piece.split(value)
    return [parts[0], *chain.from_iterable((name, part) for part in parts[1:])]
