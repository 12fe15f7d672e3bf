"""Faults in what becomes of a touch: its attribute is seen, or readers do not get it."""

from msgspec import Raw

from consumer.core.event.attribute import decode_members
from consumer.core.event.draft import Draft
from consumer.core.event.items.image import Image
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.patch import diff
from consumer.core.event.selection.selection import Selection
from consumer.core.event.touch import TouchAttribute
from consumer.core.event.transcode import Transcoder
from consumer.core.stream.record import StreamRecord
from tests.simulation.mutants.plant import plant


def touch_shown_in_the_patch() -> None:
    def of_all(self: Image, before: Raw | None, limit: int) -> list[bytes] | None:
        return diff(decode_members(before or Raw(b"{}")), self.attributes, limit)

    plant(Image, "patch_since", of_all)


def touch_attribute_shown() -> None:
    original = Shapes.of

    def all_of(self: Shapes, selection: Selection | None, *_: str) -> Shapes:
        return original(self, selection)

    plant(Shapes, "of", all_of)


def touch_taken_for_no_change() -> None:
    original = Transcoder._compare_and_stop

    def strict(self: Transcoder, draft: Draft) -> None:
        touched, draft.touched = draft.touched, False
        original(self, draft)
        draft.touched = touched

    plant(Transcoder, "_compare_and_stop", strict)


def touch_not_told() -> None:
    def never(self: TouchAttribute, record: StreamRecord, *, there: bool) -> bool:
        return False

    plant(TouchAttribute, "has_changed_alone", never)
