"""The states of a worker are public words."""

from consumer.core.reports.worker_state import ACTIONS, WorkerState


def test_the_words_stand_from_harmless_to_serious() -> None:
    assert [state.value for state in WorkerState] == [
        *("ok", "paused", "backing_off", "failing", "lease_table", "unable", "stopped"),
    ]


def test_each_state_but_ok_says_what_to_do() -> None:
    assert {state for state in WorkerState if not ACTIONS[state]} == {WorkerState.OK}
