"""Faults in what routes show, which changes count for them, and in what is left to the rest."""

from collections.abc import Sequence

from msgspec import Raw

from consumer.core.dead_letters import letter_making
from consumer.core.event import transcode
from consumer.core.event.attribute import decode_members
from consumer.core.event.event import Event, EventFormat, Unbuildable, Withheld
from consumer.core.event.items import image
from consumer.core.event.items.image import Image
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.patch import diff
from consumer.core.event.transcode import Change, Transcoder
from consumer.core.routes.assembler import Assembler, Taker
from consumer.core.stream.record import MalformedRecord, StreamRecord
from tests.simulation.mutants.plant import plant


def exclusion_forgotten_in_the_patch() -> None:
    def of_all(self: Image, before: Raw | None, limit: int) -> list[bytes] | None:
        return diff(decode_members(before or Raw(b"{}")), self.attributes, limit)

    plant(Image, "patch_since", of_all)


def exclusion_forgotten_in_letters() -> None:
    def whole(text: bytes, form: EventFormat) -> bytes:
        return text

    plant(transcode, "seen_record", whole)


def exclusion_forgotten_beside_the_event() -> None:
    def whole(text: bytes, form: EventFormat) -> bytes:
        return text

    plant(letter_making, "seen_record", whole)


def exclusion_forgotten_once_a_shape_is_not_known() -> None:
    original = image.read_image

    def unselected(text: Raw | None, shapes: Shapes) -> Image | None:
        found = original(text, shapes)
        if found is not None and found.shape is None:
            found.shapes = Shapes()
        return found

    plant(transcode, "read_image", unselected)


def what_enters_counts_only_if_it_differs() -> None:
    original = Transcoder.events_if_changed

    def strict(self: Transcoder, changes: Sequence[Change]) -> list[Event | Unbuildable | Withheld]:
        made = original(self, changes)
        return [
            Withheld.UNCHANGED if crossing is not None else each
            for (_, crossing), each in zip(changes, made, strict=True)
        ]

    plant(Transcoder, "events_if_changed", strict)


def changes_of_what_is_hidden_are_published() -> None:
    plant(Transcoder, "events_if_changed", Transcoder.events_of)


def the_rest_beside_a_match() -> None:
    original = Assembler.takers

    def generous(self: Assembler, record: StreamRecord | MalformedRecord) -> Sequence[Taker]:
        takers = original(self, record)
        if self._filters is None or isinstance(record, MalformedRecord):
            return takers
        numbers = {number for number, _ in takers}
        more = [taker for taker in self._rest if taker[0] not in numbers]
        return sorted([*takers, *more], key=lambda each: each[0])

    plant(Assembler, "takers", generous)
