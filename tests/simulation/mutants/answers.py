"""Faults in what is made of answers."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from consumer.core.backlog.queued_event import QueuedEvent
from consumer.core.publishing import attribution, reaction
from consumer.core.publishing.answer import Answer, Items
from consumer.core.publishing.placement import Partitioning, Placement
from consumer.core.publishing.reaction import Circumstances, Reaction
from consumer.core.publishing.signs_of_life import SignsOfLife
from consumer.runtime.publishing import sender
from tests.simulation.mutants.plant import plant


def foreign_answers_believed() -> None:
    original = reaction.react

    def react(answer: Answer, *rest: Any) -> Reaction:
        return original(replace(answer, by_nakadi=True), *rest)

    plant(sender, "react", react)


def outages_count_as_tries() -> None:
    class AlwaysAlive(SignsOfLife):
        def anything_stored_since(self, since: float) -> bool:
            return True

        def lives(self, event: QueuedEvent[object], since: float) -> bool:
            return True

    original = reaction.react
    alive = AlwaysAlive(Placement(Partitioning()))

    def react(answer: Answer, events: Any, given: Circumstances) -> Reaction:
        return original(answer, events, replace(given, signs=alive))

    plant(sender, "react", react)


def company_never_shrinks() -> None:
    plant(sender, "halved", lambda events: events)


def tries_alone_never_count() -> None:
    plant(SignsOfLife, "lives", lambda _self, _event, _since: False)


def short_answers_matched_by_index() -> None:
    def by_index(items: Items, events: Sequence[Any]) -> Items:
        return tuple(items[index] if index < len(items) else None for index in range(len(events)))

    plant(attribution, "_by_index", by_index)
