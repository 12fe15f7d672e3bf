"""Every record ever written, to judge loss and order independently of the consumer."""

import orjson

from localdev.streams.model.shard import Shard
from localdev.streams.model.stream import Stream


def stream_truth(stream: Stream) -> dict[str, object]:
    """Return the answer of the control command `truth`: shards in order of creation."""
    return {
        "arn": stream.arn,
        "label": stream.label,
        "table": stream.table,
        "view_type": stream.view_type,
        "enabled": stream.enabled,
        "shards": [_shard_truth(shard) for shard in stream.shards.values()],
    }


def _shard_truth(shard: Shard) -> dict[str, object]:
    return {
        "shard": shard.shard_id,
        "parent": shard.parent,
        "starting": str(shard.starting),
        "ending": None if shard.ending is None else str(shard.ending),
        "gone": shard.gone,
        "trimmed": shard.trimmed,
        "records": [
            {
                "sequence": str(entry.sequence),
                "eventID": entry.event_id,
                "eventName": entry.event_name,
                "keys": orjson.Fragment(entry.keys),
                "at": entry.at,
            }
            for entry in shard.history
        ],
    }
