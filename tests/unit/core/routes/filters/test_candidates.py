import json
from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from consumer.core.routes.filters.candidates import candidates_of
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.filters.question import Question
from consumer.core.routes.filters.record_reader import RecordReader
from consumer.core.stream.record import StreamRecord, decode_record
from tests.reference.records import KEYS, record_of


def candidates(filters: Sequence[object], name: str, old: Any, new: Any) -> list[int]:
    questions = [Question(read_filter(each), ("id",)) for each in filters]
    reader = RecordReader(place for each in questions for place in each.places())
    images = [None if kind is None else {"kind": {"S": kind}} | KEYS for kind in (old, new)]
    record = decode_record(Raw(json.dumps(record_of(name, *images)).encode()))
    assert isinstance(record, StreamRecord)
    return [*candidates_of(questions, reader)(reader.read(record, "arn"))]


def lambdas(*kinds: str) -> Any:
    return {"dynamodb": {"NewImage": {"kind": {"S": [*kinds]}}}}


def views(*kinds: str) -> Any:
    return {"item": {"kind": {"S": [*kinds]}, "status": {"S": [{"prefix": "x"}]}}}


NEVER = {"item": [{"exists": True}]}
ANY = {"dynamodb": {"NewImage": {"kind": {"S": [{"prefix": ""}]}}}}


def test_filters_are_found_by_a_text() -> None:
    filters = [lambdas("a"), lambdas("b", "c"), [lambdas("d"), lambdas("a")], NEVER]
    assert candidates(filters, "INSERT", None, "a") == [0, 2]
    assert candidates(filters, "INSERT", None, "c") == [1]
    assert candidates(filters, "INSERT", None, "x") == []
    assert candidates(filters, "REMOVE", "a", None) == []


def test_views_are_found_by_both_images() -> None:
    filters = [views("a"), views("b"), views("c"), NEVER]
    assert candidates(filters, "MODIFY", "b", "a") == [0, 1]
    assert candidates(filters, "MODIFY", "b", "b") == [1]
    assert candidates(filters, "REMOVE", "b", None) == [1]


def test_all_others_are_asked_too() -> None:
    filters = [ANY, views("a"), lambdas("a"), views("b"), {"eventName": ["REMOVE"]}, views("c")]
    assert candidates(filters, "MODIFY", "b", "a") == [0, 1, 2, 3, 4]
    assert candidates(filters, "INSERT", None, "x") == [0, 2, 4]


def test_few_filters_are_not_looked_up() -> None:
    assert candidates([lambdas("a"), lambdas("b")], "INSERT", None, "a") == [0, 1]


def test_without_texts_all_that_can_match_are_asked() -> None:
    assert candidates([ANY, NEVER, {"Filters": []}], "INSERT", None, "x") == [0, 2]


def test_a_text_in_a_list_or_a_set_is_no_key() -> None:
    filters = [{"item": {"kind": {"L": {"S": ["x"]}}}}, {"item": {"tags": {"SS": ["x"]}}}]
    assert candidates(filters, "INSERT", None, "x") == [0, 1]


def test_a_view_may_ask_for_an_image_besides() -> None:
    both = views("a") | lambdas("b")
    assert candidates([both, both, both], "MODIFY", "b", "a") == [0, 1, 2]
    only_new = {"item": {"status": {"S": ["x"]}}} | lambdas("a")
    others = [lambdas("a"), lambdas("b"), lambdas("c")]
    assert candidates([only_new, *others], "MODIFY", "x", "a") == [0, 1]
