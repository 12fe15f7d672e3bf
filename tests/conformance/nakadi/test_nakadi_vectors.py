"""Replays what the real Nakadi answered to 566 requests against the local one."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest

from localdev.nakadi.process import local_nakadi
from localdev.nakadi.vector import Answer, Vector, load_vectors, send
from localdev.nakadi.vectors import compare, replay, same_detail

HERE = Path(__file__).parent
VECTORS = HERE / "nakadi-vectors.json"
UNMATCHED = HERE / "nakadi_unmatched.toml"
# As many cases as the list has: lower it when one goes, never raise it.
UNMATCHED_MAX = 1


@pytest.fixture(scope="module")
def answers() -> list[tuple[Vector, Answer]]:
    with local_nakadi(options=("--storage-wait", "0")) as nakadi:
        return list(replay(load_vectors(VECTORS), nakadi))


def test_only_the_listed_vectors_differ(answers: list[tuple[Vector, Answer]]) -> None:
    listed = {case["name"] for case in tomllib.loads(UNMATCHED.read_text())["case"]}
    differences = {
        vector.name: str(difference)
        for vector, answer in answers
        for difference in compare(vector, answer)
    }
    assert len(answers) == 566
    assert {name: differences[name] for name in differences.keys() - listed} == {}
    assert listed - differences.keys() == set(), "these match now: take them off the list"


def test_the_list_only_shrinks_and_every_vector_on_it_has_a_reason() -> None:
    cases = tomllib.loads(UNMATCHED.read_text())["case"]
    assert len(cases) == UNMATCHED_MAX
    for case in cases:
        assert len(case["reason"]) > 20


def test_texts_agree_where_no_java_library_words_them(
    answers: list[tuple[Vector, Answer]],
) -> None:
    refused = [(vector, answer) for vector, answer in answers if vector.expected.status >= 400]
    assert [vector.name for vector, answer in refused if not same_detail(vector, answer)] == []


def test_names_are_for_people_only() -> None:
    named = [dataclasses.replace(vector, name="-") for vector in load_vectors(VECTORS)]
    telling = [
        v for v in named if v.kind in ("auth", "fault") or '"partition":"8"' in v.expected.body
    ]
    with local_nakadi(options=("--storage-wait", "0")) as nakadi:
        answers = list(replay(telling, nakadi))
    assert len(answers) > 12
    assert [str(d) for vector, answer in answers for d in compare(vector, answer)] == []


def test_the_store_measures_a_batch_as_the_real_one() -> None:
    """Its topic was told to refuse messages over 3000 bytes, as its answers alone do not tell."""
    faults = [vector for vector in load_vectors(VECTORS) if vector.kind == "fault"]
    with local_nakadi(options=("--storage-wait", "0")) as nakadi:
        nakadi.create_event_type(faults[0].event_type or {})
        nakadi.add_fault(kind="partial", mode="bytes", limit=3000)
        answers = [(vector, send(nakadi.url, vector.request)) for vector in faults]
    assert len(answers) == 3
    assert [str(d) for vector, answer in answers for d in compare(vector, answer)] == []


def test_a_changed_status_item_or_stored_event_is_a_difference(
    answers: list[tuple[Vector, Answer]],
) -> None:
    by_name = {vector.name: (vector, answer) for vector, answer in answers}

    def differs(name: str, old: str, new: str) -> bool:
        vector, answer = by_name[name]
        assert old in answer.body
        changed = dataclasses.replace(answer, body=answer.body.replace(old, new, 1))
        return bool(list(compare(vector, changed)))

    vector, answer = by_name["one valid event"]
    assert list(compare(vector, answer)) == []
    assert list(compare(vector, dataclasses.replace(answer, status=201)))
    assert differs("matrix gvg", '"step":"none"', '"step":"validating"')
    assert differs("matrix gpg", '"partition":"2"', '"partition":"1"')
    assert differs("read: one partition from BEGIN", '"i":3', '"i":4')
    assert differs("create: hash without key fields", "should be", "must be")
