"""A draft begins with what its record says, and with nothing that a stage makes."""

from consumer.core.event.draft import ENDS, Draft, Unchanged
from consumer.core.event.event_metadata import NO_METADATA
from consumer.core.event.malformed import MalformedItem, ReservedAttribute
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import StreamRecord
from tests.twins.shard import FIRST, record


def test_a_draft_has_nothing_that_a_stage_makes() -> None:
    (of,) = decode_page(b'{"Records":[%b]}' % record(FIRST, "k")).records
    assert isinstance(of, StreamRecord)
    draft = Draft(of, None, True, "k", "eid", 1.0, NO_METADATA, None)
    made = (draft.item, draft.patch, draft.members, draft.beside)
    assert made == (None, None, b"", None)
    assert not draft.omitted
    assert not draft.touched


def test_only_what_a_record_is_itself_ends_its_way() -> None:
    """Any other error is a defect of ours, and is raised."""
    assert {*ENDS} == {MalformedItem, ReservedAttribute, RecursionError, Unchanged}
    assert not issubclass(KeyError, ENDS)
