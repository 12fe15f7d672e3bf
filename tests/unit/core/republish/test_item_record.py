"""As what an item that was read is matched."""

import json

from consumer.core.republish.item_record import ItemRecords, region_of
from tests.unit.core.republish.items import AT, STREAM_ARN, gone, there


def test_what_is_there_is_an_insert() -> None:
    item = there({"id": {"S": "o-1"}, "kind": {"S": "ORDER"}})
    record = ItemRecords(STREAM_ARN).record_of(item)
    assert (record.event_name, record.created_at, record.is_ttl) == ("INSERT", AT, False)
    assert (record.keys, record.new_image, record.old_image) == (item.keys, item.item, None)


def test_what_is_gone_is_a_remove_with_the_image_of_the_export() -> None:
    item = gone("o-1", {"id": {"S": "o-1"}, "kind": {"S": "ORDER"}})
    record = ItemRecords(STREAM_ARN).record_of(item)
    assert (record.event_name, record.new_image, record.old_image) == (
        "REMOVE",
        None,
        item.last_image,
    )


def test_the_text_has_what_is_no_part_of_a_change() -> None:
    record = ItemRecords(STREAM_ARN).record_of(gone("o-1"))
    assert json.loads(bytes(record.text)) == {
        "eventSource": "aws:dynamodb", "awsRegion": "eu-central-1", "dynamodb": {},
    }  # fmt: skip
    assert region_of("no-arn") == ""
