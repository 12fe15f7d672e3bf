from consumer.core.shard.shard_state import Outcome, ShardState


def test_states_and_outcomes_are_shown_as_short_words() -> None:
    # They stand in /status, in logs and in dashboards.
    assert [state.value for state in ShardState] == [
        "taking",
        "reading",
        "suspended",
        "paused",
        "draining",
        "finishing",
        "failing",
    ]
    assert [outcome.value for outcome in Outcome] == [
        "not_taken",
        "shard_end",
        "released",
        "lost",
        "failed",
    ]
