import json
from typing import Any

import pytest
from msgspec import Raw

from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.filters.question import Answer, Question, Unanswered
from consumer.core.routes.filters.record_reader import RecordReader
from consumer.core.routes.filters.view import Decision
from consumer.core.stream.record import StreamRecord, decode_record
from tests.reference.records import KEYS, record_of

PAID, OPEN = ({"status": {"S": text}} | KEYS for text in ("PAID", "OPEN"))
VIEW = {"item": {"status": {"S": ["PAID"]}}}
TAKEN, NOT_TAKEN = Decision.TAKEN, Decision.NOT_TAKEN


def ask(value: object, name: str, old: Any = None, new: Any = None) -> Answer:
    question = Question(read_filter(value), ("id",))
    reader = RecordReader(question.places())
    record = decode_record(Raw(json.dumps(record_of(name, old, new)).encode()))
    assert isinstance(record, StreamRecord)
    return question.compiled(reader)(record, reader.read(record, "arn"))


@pytest.mark.parametrize(
    ("name", "old", "new", "answer"),
    [
        ("INSERT", None, PAID, TAKEN),
        ("INSERT", None, OPEN, NOT_TAKEN),
        ("MODIFY", PAID, PAID, TAKEN),
        ("MODIFY", OPEN, PAID, Decision.ENTERED),
        ("MODIFY", PAID, OPEN, Decision.LEFT),
        ("MODIFY", OPEN, OPEN, NOT_TAKEN),
        ("REMOVE", PAID, None, TAKEN),
        ("REMOVE", OPEN, None, NOT_TAKEN),
        ("INSERT", None, None, Unanswered("it has no dynamodb.NewImage")),
        ("MODIFY", PAID, None, Unanswered("it has no dynamodb.NewImage")),
        ("MODIFY", None, PAID, Unanswered("it has no dynamodb.OldImage")),
        ("REMOVE", None, None, Unanswered("it has no dynamodb.OldImage")),
    ],
)
def test_a_view_is_asked_of_both_states(name: str, old: Any, new: Any, answer: Answer) -> None:
    assert ask(VIEW, name, old, new) == answer


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ({"dynamodb": {"NewImage": {"status": {"S": ["PAID"]}}}}, TAKEN),
        ({"dynamodb": {"OldImage": {"status": {"S": ["PAID"]}}}}, NOT_TAKEN),
        ({"item": {"id": {"S": ["o-4711"]}}}, TAKEN),  # keys are the same in both
        ({"item": {"id": {"S": ["o-4712"]}}}, NOT_TAKEN),
        ([{"eventName": ["INSERT"]}, {"eventName": ["MODIFY"]}], TAKEN),
        ([{"eventName": ["INSERT"]}, {"eventName": ["REMOVE"]}], NOT_TAKEN),
        ([VIEW, {"eventName": ["MODIFY"]}], TAKEN),
        (VIEW | {"eventName": ["INSERT"]}, NOT_TAKEN),
        ({"Filters": []}, TAKEN),
    ],
)
def test_a_change_is_asked(value: object, answer: Answer) -> None:
    assert ask(value, "MODIFY", OPEN, PAID) is answer


def test_what_cannot_match_is_known() -> None:
    assert Question(read_filter(VIEW), ()).possible
    never = Question(read_filter({"item": [{"exists": True}]}), ())
    assert not never.possible
    assert list(never.places()) == []
