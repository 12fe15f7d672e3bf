"""Faults in what tells readers the order of events, and in what readers make of it."""

from consumer.core.event.envelope import Envelope
from tests.reference import reader
from tests.reference.reader import Place, Reader
from tests.simulation.mutants.plant import plant

DAY = 24 * 3600.0


def events_name_no_stream() -> None:
    original = Envelope.__init__

    def nameless(self: Envelope, *given: object) -> None:
        original(self, *given)  # type: ignore[arg-type]
        self._stream = b""

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
