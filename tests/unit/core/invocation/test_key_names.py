"""Which attributes are a table's key."""

import pytest
from msgspec import Raw

from consumer.core.invocation.key_names import key_schema, names_in
from consumer.core.stream.record import MalformedRecord, decode_record
from tests.twins.shard import record


def test_the_first_record_that_can_be_read_tells_them() -> None:
    odd = record(1, "a").replace(b'"Keys":{"id":{"S":"a"}}', b'"Keys":[]')
    records = [
        MalformedRecord(b"{}", 1, ""),
        decode_record(Raw(odd)),
        decode_record(Raw(record(2, "a"))),
    ]
    assert names_in(records) == ("id",)
    assert names_in(records[:2]) == ()


@pytest.mark.parametrize(
    ("names", "ordering_keys", "schema"),
    [
        (("pk",), [()], ("pk",)),
        (("sk", "pk"), [()], None),
        (("sk", "pk"), [("pk",), ()], None),
        (("sk", "pk"), [("pk",)], ("pk", "sk")),
        (("pk", "sk"), [("pk", "sk"), ("pk",)], ("pk", "sk")),
        (("sk", "pk"), [("pk", "sk")], ("sk", "pk")),
        (("sk", "pk"), [("other",)], ("sk", "pk")),
        ((), [("pk",)], None),
    ],
)
def test_two_names_need_an_ordering_key(
    names: tuple[str, ...], ordering_keys: list[tuple[str, ...]], schema: tuple[str, ...] | None
) -> None:
    assert key_schema(names, ordering_keys) == schema
