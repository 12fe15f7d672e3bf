"""Actions of log lines, the longer ones and those that several lines share.

An action says what the operator has to do, or `nothing; …` if the service goes on by itself. Those
of one line only are written there. docs/logs.md has all of them.
"""

from __future__ import annotations

from typing import Final

ENABLE_A_STREAM: Final = (
    "enable a stream for the table again, unless the table is to be retired: new changes are not "
    "recorded until then; what this stream holds is still read"
)
LIST_AGAIN: Final = (
    "nothing; the shards are listed again. If this lasts, run `consumer check`: new shards are "
    "found late"
)
READ_ROWS_AGAIN: Final = (
    "nothing; the rows are read again at the next scan. If this lasts, look at the lease table: "
    "its role, its throttling, the way to it"
)
READERS_MISS_RECORDS: Final = (
    "repair the readers' state from the table: the stream trimmed records before they were read; "
    "`consumer gaps` names them, and reading goes on at the oldest record that is left"
)
READERS_MISS_SHARD: Final = (
    "repair the readers' state from the table: the shard was gone before it was read to its end; "
    "`consumer gaps` names it, and reading goes on with its children"
)
WRITE_ROW_AGAIN: Final = (
    "nothing; it is written again until the answer is clear. If this lasts, look at the lease "
    "table: its role, its throttling, the way to it"
)
CREATE_TABLE_AGAIN: Final = (
    "create the lease table again under its name, or restore it: until it answers nothing is "
    "published, and after 30 s the process exits with 1. Checkpoints that are not restored are "
    "gone, and the line stream_started says where reading begins then"
)
FIND_OUT_WHO_DELETED: Final = (
    "find out who has deleted rows of the lease table, or has made or restored it: what its rows "
    "say now counts, and the line stream_started says where reading begins if there are none"
)
PUBLISH_THEM_TOO: Final = (
    "nothing; this is right if they were removed on purpose, and a start with "
    "CONSUMER_ACCEPT_CHANGE=true ends this line. If they were not, give this worker the settings "
    "of the others: what it reads is not published in these event types"
)
BEGIN_AT_HORIZON: Final = (
    "nothing; this is the first start, or the checkpoints of an earlier one are gone from the "
    "lease table: then all that the stream holds, up to 24 hours, is published again"
)
BEGIN_LATER: Final = (
    "run `consumer seek --to trim_horizon` if this is not the first start: the checkpoints of an "
    "earlier one are then gone from the lease table, and what it had not published is skipped if "
    "it is older than `start`, without a gap row"
)
READ_COMMANDS_AGAIN: Final = "nothing; they are read again, and what they concern waits for them"
LOOK_UP_CHILDREN_AGAIN: Final = "nothing; they are looked up again, and listings show them, too"
HAND_OVER: Final = "remove what `detail` names; all shards are handed over, and the process ends"
LEAVE_TO_OTHERS: Final = (
    "nothing; the shard is left to other workers. If they say the same, look at the reason of "
    "reading_fails"
)
REPORT_DEFECT: Final = (
    "report this as a defect, with the traceback; the shard is released, and avoided here for a "
    "while"
)
READ_ON_ELSEWHERE: Final = "nothing; its next owner reads on from the checkpoint"
SEE_SHARD_FAILED: Final = "nothing here; shard_failed says what to do, others may take it"
WAIT: Final = (
    "nothing; it reads on as soon as it can. It waits for budget: memory for events "
    "(CONSUMER_QUEUE_BYTES); hot_key: a key that changes too fast; watermark: an event that is not "
    "settled; settling: what was sent"
)
TRUST_FOR_AWS: Final = (
    "set AWS_CA_BUNDLE to a PEM file with the authority that signs certificates here, if it is a "
    "private one"
)
TRUST_FOR_NAKADI: Final = (
    "set SSL_CERT_FILE to a PEM file with the authority that signs certificates here, if it is a "
    "private one"
)
READ_LATER: Final = "nothing; it is read once the older one is read to its end"
