"""Lines of an incremental export."""

import pytest

from consumer.core.repair.exported_change import OddExport, read_change

META = b'"Metadata":{"WriteTimestampMicros":{"N":"1680109764000001"}}'
KEYS = b'"Keys":{"sk":{"N":"7"},"pk":{"S":"o-1"}}'


def test_a_change_has_the_new_image() -> None:
    line = b'{%b,%b,"OldImage":{"pk":{"S":"old"}},"NewImage":{"pk":{"S":"new"}}}' % (META, KEYS)
    change = read_change(line)
    assert change.written_at == 1680109764000001
    assert bytes(change.keys) == b'{"sk":{"N":"7"},"pk":{"S":"o-1"}}'
    assert change.key == b'{"pk":{"S":"o-1"},"sk":{"N":"7"}}', "in one spelling"
    assert change.image is not None
    assert bytes(change.image) == b'{"pk":{"S":"new"}}'


def test_of_a_deletion_the_old_image_is_the_newest() -> None:
    change = read_change(b'{%b,%b,"OldImage":{"pk":{"S":"old"}}}' % (META, KEYS))
    assert change.image is not None
    assert bytes(change.image) == b'{"pk":{"S":"old"}}'


def test_what_was_made_and_deleted_in_the_window_has_no_image() -> None:
    assert read_change(b"{%b,%b}" % (META, KEYS)).image is None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'{"Item":{"pk":{"S":"secret"}}}',  # of a full export
        b"{%b}" % META,
        b"{%b}" % KEYS,
        b'{"Metadata":{"WriteTimestampMicros":{"N":"secret"}},%b}' % KEYS,
        b'{%b,"Keys":"secret"}' % META,
        b'{%b,"Keys":{"pk":%b1%b}}' % (META, b"[" * 9999, b"]" * 9999),
    ],
)
def test_another_line_is_odd_and_nothing_of_it_is_told(line: bytes) -> None:
    with pytest.raises(OddExport, match="no exported change") as told:
        read_change(line)
    assert "secret" not in str(told.value)
