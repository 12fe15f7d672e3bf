"""Which gap is meant: by the end of its row's key, as `consumer gaps` shows shard and from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Gap


class UnknownGap(ValueError):
    """No gap, or more than one, has this name. The message is one line for the operator."""


def gap_named(gaps: Mapping[str, Sequence[Gap]], name: str) -> tuple[str, Gap]:
    """Return the key of the stream and the gap of this name. Raise UnknownGap.

    A name is `SHARD/FROM`, or `LABEL/SHARD/FROM` where streams have gaps of the same name. `gaps`
    are those of all streams, by stream key.
    """
    full = {
        f"{key}/{gap.shard_id}/{gap.from_}": (key, gap) for key, of in gaps.items() for gap in of
    }
    found = [each for key, each in full.items() if f"/{key}".endswith(f"/{name}")]
    if len(found) == 1:
        return found[0]
    if not found:
        known = ", ".join(f"{gap.shard_id}/{gap.from_}" for _, gap in full.values())
        raise UnknownGap(f"--gap {name}: no such gap; there are {known or 'none'}")
    labels = ", ".join(key.rpartition("/")[2] for key, _ in found)
    raise UnknownGap(f"--gap {name}: streams {labels} have it; wanted LABEL/SHARD/FROM")
