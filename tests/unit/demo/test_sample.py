import json
from typing import Any

from localdev.demo.sample import Samples, lines

STEP = {"op": "replace", "path": "/status", "value": "PAID"}


def event(**data: Any) -> str:
    return json.dumps({"metadata": {"eid": "x"}, "data_op": "U", "data": {"order_id": "ö", **data}})


def test_the_lines_are_the_event() -> None:
    for text in (
        event(),
        event(change={"sequence": "1"}),
        event(patch=[], change={}),
        event(patch=[STEP]),
        event(patch=[STEP, STEP], change={"sequence": "1"}),
        event(patch="an attribute of that name"),
    ):
        assert json.loads("\n".join(line for line, _ in lines(text))) == json.loads(text)


def test_the_patch_is_marked_and_nothing_else() -> None:
    marked = [line.strip() for line, of_patch in lines(event(patch=[STEP], change={})) if of_patch]
    assert marked == ['"patch": [', json.dumps(STEP), "],"]


def stored(*operations: str) -> list[dict[str, object]]:
    """Events as the log has them; an operation may name what else `change` has."""
    told: list[dict[str, object]] = []
    for operation in operations:
        data_op, *crossing = operation.split()
        text = {"data_op": data_op, "data": {"change": dict.fromkeys(crossing, True)}}
        told.append({"event": json.dumps(text)})
    return told


def test_the_first_of_each_kind_is_picked_once() -> None:
    samples = Samples()
    events = stored("C", "C", "U", "D")
    texts = [event["event"] for event in events]
    assert samples.pick(events[:2]) == [texts[0]]
    assert samples.pick(events) == [texts[2], texts[3]]
    assert samples.pick(events) == []


def test_what_enters_and_leaves_a_view_is_a_kind_of_its_own() -> None:
    events = stored("C", "U", "C entered", "D", "D left")
    picked = Samples(["C entered", "D left"]).pick(events)
    assert picked == [events[2]["event"], events[4]["event"]]
