"""Whether what was published again has the bytes of the first time."""

from tests.integration.cluster import EVENT_TYPE, Cluster


class Repeats:
    """Looks at what is new in the Nakadi log since the last look."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._texts: dict[str, int] = {}  # hash of the text by eid
        self._seen = 0

    def changed(self) -> list[str]:
        """The eids of new events whose text is not that of an earlier one."""
        news = self._cluster.nakadi.log(EVENT_TYPE, fields="eid,event", since=self._seen)
        self._seen += len(news)
        changed = []
        for event in news:
            eid, text = str(event["eid"]), hash(event["event"])
            if self._texts.setdefault(eid, text) != text:
                changed.append(eid)
        return changed
