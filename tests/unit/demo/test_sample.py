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


def test_the_first_of_each_kind_is_picked_once() -> None:
    samples = Samples()
    stored = [{"data_op": kind, "event": f"{kind}{n}"} for n, kind in enumerate("CCUD")]
    assert samples.pick(stored[:2]) == ["C0"]
    assert samples.pick(stored) == ["U2", "D3"]
    assert samples.pick(stored) == []
