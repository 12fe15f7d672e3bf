"""Whatever an item holds and a route leaves out: no letter shows it, and no redrive.

Every value of an item is a marker of its own. What of them may be seen is said by the reference.
"""

import base64
import json
import re
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from consumer.core.dead_letters import examiner, letter_making
from consumer.core.dead_letters.dead_letter import DeadLetter, encode
from consumer.core.dead_letters.examiner import Examiner
from consumer.core.dead_letters.letter_making import filled
from consumer.core.dead_letters.redrive import (
    Deliverable,
    Kept,
    QueuedMessage,
    Receipt,
    RedriveOutcome,
)
from consumer.core.event.event import Category, Event, EventFormat, Layout
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.selection.attribute_path import AttributePath
from consumer.core.event.selection.selection import Selection
from consumer.core.event.transcode import Transcoder
from consumer.core.limits import PublishLimits
from consumer.core.routes.route import Route
from consumer.core.stream.page import decode_page
from tests.reference.seeing import seen_item
from tests.unit.core.dead_letters.test_dead_letter import ARN
from tests.unit.core.dead_letters.test_letter_making import BLANK

Json = dict[str, Any]

KEYS = ("pk", "sk")
NAMES = ("a", "b", "c", "patch", "change")
MARK = re.compile(r"m[0-9]{4}x")
LIMITS = (1_048_576, 3_000, 900, 1)

shapes = st.recursive(
    st.sampled_from(("S", "B", "SS")),
    lambda below: st.one_of(
        st.dictionaries(st.sampled_from(NAMES), below, max_size=3),
        st.lists(below, max_size=2),
    ),
    max_leaves=6,
)
items = st.dictionaries(st.sampled_from(NAMES), shapes, min_size=1, max_size=4)
paths = st.lists(st.sampled_from((*KEYS, *NAMES)), min_size=1, max_size=3).map(
    lambda names: AttributePath(tuple(names))
)
some_paths = st.lists(paths, max_size=3).map(tuple)
selections = st.one_of(
    st.none(),
    st.builds(
        Selection,
        include=st.one_of(st.none(), some_paths),
        exclude=some_paths,
        rename=st.sampled_from(((), (("a", "z"),), (("pk", "id"),))),
    ),
)
formats = st.builds(
    EventFormat,
    data_type=st.just("o"),
    ordering_key=st.sampled_from((("pk",), KEYS)),
    layout=st.sampled_from(Layout),
    selection=selections,
    event_bytes=st.sampled_from((999_000, 400)),
)
business = st.builds(
    EventFormat,
    data_type=st.just("o"),
    ordering_key=st.just(("pk",)),
    patch=st.just(value=False),
    change=st.just(value=False),
    selection=selections,
    category=st.just(Category.BUSINESS),
    body=st.sampled_from((None, "a")),
)


def value_of(shape: Any, marks: Any) -> Json:
    if isinstance(shape, dict):
        return {"M": {name: value_of(each, marks) for name, each in shape.items()}}
    if isinstance(shape, list):
        return {"L": [value_of(each, marks) for each in shape]}
    mark = f"m{next(marks):04}x"
    if shape == "B":
        return {"B": base64.b64encode(mark.encode()).decode()}
    return {"SS": [mark]} if shape == "SS" else {"S": mark}


def marks_in(text: str) -> set[str]:
    """All markers of a text, those in base64, too."""
    found = set(MARK.findall(text))
    for word in re.findall(r"[A-Za-z0-9+/]{8,}={0,2}", text):
        padded = word + "=" * (-len(word) % 4)
        try:
            found |= set(MARK.findall(base64.b64decode(padded).decode("latin-1")))
        except ValueError:
            continue
    return found


def item_of(shape: Any, marks: Any) -> Json:
    return {name: value_of(each, marks) for name, each in shape.items()}


def shown_of(images: list[Json], seen: Selection | None) -> set[str]:
    """The markers that may be seen."""
    return {
        mark
        for image in images
        for mark in marks_in(json.dumps(image if seen is None else seen_item(image, seen)))
    }


def wire_of(op: str, new: Json, old: Json) -> Json:
    keys = {name: new[name] for name in KEYS}
    change = {"Keys": keys, "SequenceNumber": "7", "ApproximateCreationDateTime": 1793525400}
    if op != "REMOVE":
        change["NewImage"] = new
    if op != "INSERT":
        change["OldImage"] = old
    return {"eventID": "1", "eventName": op, "dynamodb": change}


def route(form: EventFormat) -> Route:
    return Route("shop.order", form, PublishLimits(), KEYS, name="orders")


def letter_of(wire: Json, of: Route) -> tuple[DeadLetter, Event | None]:
    (record,) = decode_page(json.dumps({"Records": [wire]}).encode()).records
    content = Transcoder(of.format, ARN, Shapes()).event_of(record)
    letter = filled(replace(BLANK, detail=getattr(content, "detail", "")), content, of, [of])
    return letter, content if isinstance(content, Event) else None


def examined(body: bytes, today: Route) -> Deliverable | Kept:
    message = QueuedMessage(Receipt("m", "h"), body, 0.0, 1)
    return Examiner([today], "orders").examine(message)


arguments = (
    st.sampled_from(("INSERT", "MODIFY", "REMOVE")),
    items,
    items,
    st.one_of(formats, business),
    st.one_of(formats, business),
    st.sampled_from(LIMITS),
    st.booleans(),
)


def check(
    op: str, new: Any, old: Any, then: EventFormat, now: EventFormat, limit: int, same: bool
) -> None:
    marks = count()
    keys = {"pk": {"S": f"m{next(marks):04}x"}, "sk": {"S": f"m{next(marks):04}x"}}
    images = [{**keys, **item_of(each, marks)} for each in (new, old)]
    wire = wire_of(op, *images)
    made_by = route(then)
    today = made_by if same else route(now)
    letter, event = letter_of(wire, made_by)
    body = encode(letter, limit)
    shown = shown_of(images, then.selection)
    assert marks_in(body.decode()) <= shown
    found = examined(body, today)
    if isinstance(found, Kept):
        assert found.outcome in {
            RedriveOutcome.UNBUILDABLE, RedriveOutcome.INCOMPLETE, RedriveOutcome.OTHER_RULES,
        }  # fmt: skip
        return
    (made,) = found.events
    assert marks_in(made.event.body.decode()) <= shown & shown_of(images, today.format.selection)
    if made_by.rules == today.rules and event is not None and b"patch_omitted" not in body:
        assert made.event.body == event.body


test_no_letter_shows_what_its_route_leaves_out_and_no_redrive_what_it_leaves_out_today = settings(
    max_examples=200, deadline=None, suppress_health_check=list(HealthCheck)
)(given(*arguments)(check))


def hidden_record_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(letter_making, "seen_record", lambda text, _: text)


def hidden_key_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(letter_making, "digest_of", lambda key: key)


def redriven_under_old_rules(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Route, "rules", property(lambda _: "the same for all"))


def made_by_whatever_rules(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(examiner, "_made_as_ever", lambda *_: True)


@pytest.mark.parametrize(
    "fault",
    [hidden_record_kept, hidden_key_kept, redriven_under_old_rules, made_by_whatever_rules],
)
def test_planted_faults_are_found(fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    hunt = settings(
        max_examples=1000,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    with pytest.raises(AssertionError):
        hunt(given(*arguments)(check))()
