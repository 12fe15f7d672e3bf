"""Every answer of Nakadi, with and without other keys flowing, has the outcome it should have."""

from collections.abc import Iterator

import pytest

from localdev.nakadi.process import NakadiProcess, local_nakadi
from tests.integration.fault_matrix import CASES, Case, faults, run_case, run_culprits

CULPRITS = 7
EVENTS = 500
REQUESTS = 120
"""At most 2·k·log2(n/k) halves and their parents, and three tries of each that is named."""


@pytest.fixture(scope="module")
def nakadi() -> Iterator[NakadiProcess]:
    with local_nakadi() as process:
        yield process


RUNS = [(case, others) for case in CASES for others in (False, True) if others or not case.beside]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "others"),
    RUNS,
    ids=[f"{case.name}, {'others flow' if others else 'alone'}" for case, others in RUNS],
)
def test_every_answer_has_its_outcome(nakadi: NakadiProcess, case: Case, others: bool) -> None:
    outcome = run_case(nakadi, case, others=others)
    assert faults(case, outcome, others=others) == []


def test_culprits_of_both_kinds_are_found_and_innocents_hardly_wait(nakadi: NakadiProcess) -> None:
    outcome = run_culprits(nakadi, EVENTS, CULPRITS)
    assert outcome.unsettled == 0
    assert sorted(reason for _, reason in outcome.letters) == ["rejected"] * 4 + ["validation"] * 3
    assert sum(map(len, outcome.stored.values())) == EVENTS - CULPRITS
    assert outcome.duplicates == 0
    assert outcome.requests <= REQUESTS
    assert outcome.others_seconds < 50.0  # 5 s, ten times slower
