import pytest

from consumer.core.routes.filters.view import Decision, decide


@pytest.mark.parametrize(
    ("name", "new", "old", "decision"),
    [
        ("INSERT", True, False, Decision.TAKEN),
        ("INSERT", False, False, Decision.NOT_TAKEN),
        ("REMOVE", False, True, Decision.TAKEN),
        ("REMOVE", False, False, Decision.NOT_TAKEN),
        ("MODIFY", True, True, Decision.TAKEN),
        ("MODIFY", True, False, Decision.ENTERED),
        ("MODIFY", False, True, Decision.LEFT),
        ("MODIFY", False, False, Decision.NOT_TAKEN),
    ],
)
def test_what_a_change_means_to_a_view(name: str, new: bool, old: bool, decision: Decision) -> None:
    assert decide(name, new=new, old=old) is decision
