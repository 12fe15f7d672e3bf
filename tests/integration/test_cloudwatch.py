"""What a real worker writes for CloudWatch."""

from pathlib import Path

from tests.integration.cluster import EVENT_TYPE, cluster


def test_a_worker_that_ends_has_told_what_it_did(tmp_path: Path) -> None:
    with cluster(tmp_path) as here:
        worker = here.start(CONSUMER_CLOUDWATCH_NAMESPACE="relay")
        here.fill(20)
        here.until_settled()
        code, _ = worker.stop()
        (line,) = worker.events("metrics")
    assert code == 0
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "relay"
    assert line["Application"] == EVENT_TYPE
    assert (line["RecordsRead"], line["EventsPublished"], line["DeadLetters"]) == (20, 20, 0)
    assert 0 <= line["IteratorAge"] < 30


def test_nothing_is_written_where_it_is_not_wanted(tmp_path: Path) -> None:
    with cluster(tmp_path) as here:
        worker = here.start()
        here.fill(1)
        here.until_settled()
        worker.stop()
        assert worker.events("metrics") == []
