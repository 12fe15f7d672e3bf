"""What is kept of the words of an answer to a publishing request, or of who speaks as Nakadi.

Nothing of an item is in a log or in `/status`, so what may repeat a part of the request is not
taken as it is. The text about an event that is refused goes whole into its dead letter, and is
made fit for the log where it is logged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import orjson
from msgspec.structs import replace

from consumer.adapters.flow_id import FLOW_ID
from consumer.core.publishing.logged_detail import logged_detail

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consumer.core.publishing.answer import Answer

_HEADER: Final = FLOW_ID.lower()
_FLOW_ID: Final = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)
_CONTENT_TYPE: Final = re.compile(r"\s*([\w.+-]{1,30}/[\w.+-]{1,60})\s*(?:;|$)", re.ASCII)
_WRAPPER: Final = ("data_type", "data_op")
"""Members of an event that are not of its item; the texts of Nakadi often name the event type."""


def flow_id_of(headers: Mapping[str, str], sent: str) -> str:
    """Return the flow id that an answer says, that of the request if it says none, or odd text."""
    said = headers.get(_HEADER, "")
    return said if _FLOW_ID.fullmatch(said) else sent


def kept_headers(headers: Iterable[tuple[str, str]], sent: str) -> dict[str, str]:
    """Return headers, names in lower case, with a flow id and a content type fit for a log."""
    kept = {name.lower(): value for name, value in headers}
    kept[_HEADER] = flow_id_of(kept, sent)
    if "content-type" in kept:
        found = _CONTENT_TYPE.match(kept["content-type"])
        kept["content-type"] = found[1] if found else "an odd type"
    return kept


def fit_for_logs(answer: Answer, bodies: Sequence[bytes]) -> Answer:
    """Return an answer whose text about the request as a whole repeats no value of its events."""
    refuses = answer.by_nakadi and answer.status in (400, 422)
    if not answer.detail or not answer.status or refuses:
        return answer
    events = [orjson.loads(body) for body in bodies]
    for event in events:
        for name in _WRAPPER:
            event.pop(name, None)
    return replace(answer, detail=logged_detail(answer.detail, orjson.dumps(events)))
