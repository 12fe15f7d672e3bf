import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from consumer.core.routes.filters.filter_set import FilterSet
from consumer.core.routes.filters.lambda_filter import Filter, read_filter, read_filter_json
from consumer.core.routes.filters.question import Unanswered
from consumer.core.routes.filters.view import Decision, decide
from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.core.routes.language.json_tree import read_json
from consumer.core.routes.language.pattern import read_pattern
from consumer.core.stream.record import StreamRecord, decode_record
from tests.reference import filter_engine
from tests.reference.filter_pairs import ARN, pair
from tests.reference.records import record_of

VECTORS = json.loads((Path(filter_engine.__file__).parent / "filter-vectors.json").read_text())
seeds = st.integers(0, 2**32)


def read(record: Any) -> StreamRecord:
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    found = decode_record(Raw(text))
    assert isinstance(found, StreamRecord)
    return found


def lambda_filter(pattern: str) -> Filter | None:
    """None for what is refused."""
    try:
        return Filter((read_pattern(read_json(pattern)),))
    except BadPattern:
        return None


def takes(filters: FilterSet, record: Any) -> bool:
    return bool(filters.taken(read(record), ARN))


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_the_answers_of_aws(vector: Any) -> None:
    asked = lambda_filter(vector["pattern"])
    if "error" in vector:
        assert asked is None
        return
    assert asked is not None
    event = VECTORS["records"].get(vector["record"]) or json.loads(vector["event"])
    if "dynamodb" in event:
        as_lambda_sees_it = event | {"eventSourceARN": ARN}
        assert takes(FilterSet([asked], ()), as_lambda_sees_it) is vector["match"]
        return
    [branch] = asked.patterns[0].branches  # no stream record: only the values are compared
    [(path, leaf)] = branch.items()
    values = [
        value.value if isinstance(value, filter_engine.Number) else value
        for name, value in filter_engine.leaves(filter_engine.parse(vector["event"]))
        if name == path
    ]
    matched = any(each.test(value) for each in leaf for value in values)
    assert (matched or (not values and any(each.absent for each in leaf))) is vector["match"]


@given(seeds)
def test_a_filter_is_as_the_slow_matcher(seed: int) -> None:
    pattern, record = pair(random.Random(seed))
    asked = lambda_filter(pattern)
    if asked is not None:
        expected = filter_engine.matches(pattern, json.dumps(record))
        assert takes(FilterSet([asked], ()), record) is expected


@given(seeds)
def test_a_view_is_asked_with_each_image_in_turn(seed: int) -> None:
    pattern, record = pair(random.Random(seed), own=True)
    asked = lambda_filter(pattern)
    if asked is None or not asked.is_view:
        return
    new, old = (
        filter_engine.matches(pattern, json.dumps(record | {"item": record["dynamodb"].get(image)}))
        for image in ("NewImage", "OldImage")
    )
    decision = decide(record["eventName"], new=new, old=old)
    for keys in ((), ("pk", "sk")):
        expected = [] if decision is Decision.NOT_TAKEN else [(0, decision)]
        assert FilterSet([asked], keys).taken(read(record), ARN) == expected


@given(st.lists(seeds, min_size=2, max_size=6), seeds)
def test_filters_asked_together_answer_as_each_alone(several: list[int], seed: int) -> None:
    record = read(pair(random.Random(seed)).record)
    patterns = [pair(random.Random(each), own=each % 2 == 0).pattern for each in [*several, seed]]
    texts = [json.dumps({"item": {"pk": {"S": [f"{each % 5}"]}}}) for each in several]
    filters = [each for each in map(lambda_filter, patterns + texts) if each is not None]
    expected = [
        (number, answer)
        for number, each in enumerate(filters)
        for _, answer in FilterSet([each], ()).taken(record, ARN)
    ]
    assert FilterSet(filters, ()).taken(record, ARN) == expected


def test_the_record_is_seen_as_lambda_sees_it() -> None:
    record = record_of(
        "REMOVE", userIdentity={"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    )
    pattern = {
        "eventSourceARN": [ARN],
        "userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]},
        "dynamodb": {"ApproximateCreationDateTime": [1793525400], "SizeBytes": [59]},
    }
    assert takes(FilterSet([read_filter(pattern)], ()), record)


def test_only_filters_that_name_what_cannot_be_read_are_unanswered() -> None:
    record = record_of("INSERT", None, {"id": {"S": "x"}, "bad": {"S": 7}, "good": {"S": "y"}})
    bad, good, not_taken = (
        read_filter({"dynamodb": {"NewImage": {name: {"S": [text]}}}})
        for name, text in (("bad", "7"), ("good", "y"), ("good", "z"))
    )
    unanswered = Unanswered("dynamodb.NewImage: Expected `str`, got `int` - at `$.bad.S`")
    both = FilterSet([bad, not_taken, good], ()).taken(read(record), ARN)
    assert both == [(0, unanswered), (2, Decision.TAKEN)]
    assert FilterSet([bad], ()).taken(read(record), ARN) == [(0, unanswered)]


def test_no_filters_take_nothing() -> None:
    assert FilterSet([], ()).taken(read(record_of("REMOVE")), ARN) == []


def test_filter_criteria_of_lambda_move_over_unchanged() -> None:
    criteria = {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}, {"Pattern": "{}"}]}
    with pytest.raises(BadPattern, match=r"Filters\[1\]\.Pattern: an empty object"):
        read_filter_json(json.dumps(criteria))
    del criteria["Filters"][1]
    filters = FilterSet([read_filter_json(json.dumps(criteria))], ())
    assert takes(filters, record_of("INSERT"))
    assert not takes(filters, record_of("REMOVE"))
