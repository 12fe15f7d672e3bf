"""Event ids: a pure function of stream and record, so that readers recognise a duplicate."""

import hashlib
import uuid

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class EidNamespace:
    """The event ids of one stream: uuid5(uuid5(NAMESPACE_URL, stream ARN), eventID).

    Where several routes make events of one record, the name is eventID, a newline and the event
    type, so that a reader of two event types keeps both events.

    The digest of the namespace is computed once and copied: `uuid.uuid5` takes five times as long.
    """

    def __init__(self, stream_arn: str, event_type: str | None = None) -> None:
        namespace = uuid.uuid5(uuid.NAMESPACE_URL, stream_arn)
        self._end = b"" if event_type is None else b"\n" + event_type.encode()
        self._namespace = hashlib.sha1(namespace.bytes, usedforsecurity=False)

    def eid(self, event_id: str) -> str:
        """Return the eid of the record with this `eventID`: 8-4-4-4-12 lower-case hex digits."""
        digest = self._namespace.copy()
        digest.update(event_id.encode() + self._end)
        hexa = digest.hexdigest()
        variant = _VARIANT[hexa[16]]
        return f"{hexa[:8]}-{hexa[8:12]}-5{hexa[13:16]}-{variant}{hexa[17:20]}-{hexa[20:32]}"
