"""The answer of SQS to a call with several entries, each of which has an Id of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def confirmed_ids(answer: Mapping[str, Any]) -> set[str]:
    """Return the Ids that the answer confirms, which may be others than those that were sent.

    An Id that is also among those that failed is not confirmed: a letter that is sent twice is
    better than one that is lost.
    """
    return _ids(answer, "Successful") - _ids(answer, "Failed")


def _ids(answer: Mapping[str, Any], member: str) -> set[str]:
    found = (entry.get("Id") for entry in answer.get(member, ()))
    return {name for name in found if isinstance(name, str)}
