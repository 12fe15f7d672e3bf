"""Faults in what tells readers the order of events, and in what readers make of it."""

from random import Random

from consumer.core.event.envelope import Envelope, ItemContent
from consumer.core.event.event import EventFormat
from consumer.core.stream.record import SEQUENCE_DIGITS
from tests.reference import reader
from tests.reference.reader import Kept, Place, Reader, Said
from tests.simulation.checks.readings import Readings
from tests.simulation.mutants.plant import plant

DAY = 24 * 3600.0


def events_name_no_stream() -> None:
    original = Envelope.__init__

    def nameless(self: Envelope, form: EventFormat, _stream: str) -> None:
        original(self, form, "")

    plant(Envelope, "__init__", nameless)


def readers_compare_the_sequence_alone() -> None:
    def rank(_self: Reader, place: Place) -> tuple[str, str]:
        return "", place[1]

    plant(Reader, "_rank", rank)


def no_stream_counts_as_the_lowest() -> None:
    def rank(_self: Reader, place: Place) -> tuple[str, str]:
        return place[0] or "", place[1]

    plant(Reader, "_rank", rank)


def readers_forget_tombstones_after_a_day() -> None:
    plant(reader, "TOMBSTONE_SECONDS", DAY)


def readers_keep_what_came_last() -> None:
    plant(Reader, "take", reader.LastByArrival.take)


def readings_have_no_sequence() -> None:
    _replace_sequence(b"")


def readings_have_the_highest_place() -> None:
    _replace_sequence(b'"sequence":"%b",' % (b"9" * SEQUENCE_DIGITS))


def _replace_sequence(wrong: bytes) -> None:
    original, right = Envelope.body_of_reading, b'"sequence":"%b",' % (b"0" * SEQUENCE_DIGITS)

    def body_of_reading(
        self: Envelope,
        operation: str,
        eid: str,
        read_at: float,
        content: ItemContent,
        members: bytes,
    ) -> bytes:
        return original(self, operation, eid, read_at, content, members).replace(right, wrong)

    plant(Envelope, "body_of_reading", body_of_reading)


def the_label_is_asked_for_after_the_read() -> None:
    original = Readings.asked_at

    def asked_at(self: Readings, read_at: float, chance: Random) -> float:
        return read_at + (read_at - original(self, read_at, chance))

    plant(Readings, "asked_at", asked_at)


def readers_are_never_repaired() -> None:
    def repairs(_self: Reader, _said: Said, _kept: Kept) -> bool:
        return False

    plant(Reader, "_repairs", repairs)


def readers_sweep_nothing() -> None:
    def sweep(_self: Reader, _snapshot: str, _start: float, _now: float) -> None:
        return

    plant(Reader, "sweep", sweep)
