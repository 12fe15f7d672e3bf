"""The event type is looked at before the first event, and can be made by `consumer event-type`."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localdev.nakadi.process import RefusedError
from tests.integration.cluster import TABLE, Cluster, cluster, definition
from tests.integration.consumer_process import run_consumer

OTHER = "order-store.other"


@pytest.fixture(scope="module")
def keys_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A stream without old images: D events have the keys only."""
    with cluster(tmp_path_factory.mktemp("one"), view_type="NEW_IMAGE") as made:
        made.settings["CONSUMER_PATCH"] = "false"
        yield made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """For tests that each have an event type of their own."""
    with cluster(tmp_path_factory.mktemp("whole")) as made:
        yield made


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


def consumer(made: Cluster, command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run_consumer([command], made.environment(**settings))


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "n": {"type": "string"}},
}


@pytest.mark.parametrize(
    ("name", "members", "says"),
    [
        ("a.business", {"category": "business"}, "category business"),
        ("a.fields", {"partition_key_fields": ["n"]}, "partition_key_fields n are not in every D"),
        ("a.user", {"partition_strategy": "user_defined"}, "user_defined"),
        (
            "a.compact",
            {"cleanup_policy": "compact", "partition_strategy": "random"},
            "compacted",
        ),
    ],
)
def test_what_can_never_take_the_events_is_refused(
    keys_only: Cluster, name: str, members: dict[str, Any], says: str
) -> None:
    change: dict[str, Any] = {"properties": {"sequence": {}, "stream": {}}}
    properties = {**SCHEMA["properties"], "change": change}
    schema = {"type": "json_schema", "schema": json.dumps(SCHEMA | {"properties": properties})}
    made = definition("id") | {"name": name, "schema": schema} | members
    if made["category"] != "data":
        for member in ("ordering_key_fields", "ordering_instance_ids"):
            del made[member]
    keys_only.nakadi.create_event_type(made)
    run = consumer(keys_only, "run", CONSUMER_EVENT_TYPE=name)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith(f"consumer: CONSUMER_EVENT_TYPE: {name}: ")
    assert says in run.stderr
    check = consumer(keys_only, "check", CONSUMER_EVENT_TYPE=name)
    assert check.returncode == 2
    assert says.split(maxsplit=1)[0] in check.stdout


def test_fields_that_a_delete_lacks_and_nakadi_does_not_ask_for_are_a_warning(
    keys_only: Cluster,
) -> None:
    schema = SCHEMA | {"required": ["id", "n"]}
    made = definition("id") | {"name": "a.required", "ordering_key_fields": ["data.n"]}
    made |= {"ordering_instance_ids": [], "schema": {"type": "json_schema"}}
    made["schema"]["schema"] = json.dumps(schema)
    keys_only.nakadi.create_event_type(made)
    check = consumer(keys_only, "check", CONSUMER_EVENT_TYPE="a.required")
    assert check.returncode == 0
    assert "the schema requires n" in check.stdout
    assert "ordering fields n are not in every D" in check.stdout
    assert "doubtful" in check.stdout


def test_an_absent_event_type_is_wrong_to_check_and_waited_for_by_run(one: Cluster) -> None:
    assert consumer(one, "check", CONSUMER_EVENT_TYPE=OTHER).returncode == 2
    worker = one.start(CONSUMER_EVENT_TYPE=OTHER, CONSUMER_PROBE_SECONDS="0.5")
    one.fill(20)
    one.until(lambda: bool(worker.events("event_type_stopped")), "404")
    (doubt,) = worker.events("event_type_doubtful")
    assert "404" in doubt["result"]
    one.nakadi.create_event_type(definition("id") | {"name": OTHER})
    one.until(lambda: len(one.nakadi.log(OTHER)) == 20, "published")


def test_one_that_may_not_be_seen_is_published_to(one: Cluster) -> None:
    one.nakadi.add_fault(kind="status", status=403, on="event-type")
    assert consumer(one, "check").returncode == 0
    worker = one.start()
    one.fill(20)
    one.until_settled()
    (doubt,) = worker.events("event_type_doubtful")
    assert "403" in doubt["result"]


@pytest.mark.parametrize("fault", [{"kind": "reset"}, {"kind": "delay", "delay": 3600.0}])
def test_a_nakadi_that_does_not_answer_stops_nobody_from_starting(
    one: Cluster, fault: dict[str, object]
) -> None:
    one.nakadi.add_fault(on="event-type", **fault)
    worker = one.start()
    one.fill(20)
    one.until_settled()
    assert len(worker.events("event_type_not_checked")) == 1


@pytest.mark.parametrize("layout", ["flat", "nested"])
@pytest.mark.parametrize("patch", ["true", "false"])
def test_what_event_type_prints_can_be_created_and_takes_every_event(
    whole: Cluster, layout: str, patch: str
) -> None:
    name = f"order-store.{layout}-{patch}"
    settings = {
        "CONSUMER_EVENT_TYPE": name,
        "CONSUMER_LAYOUT": layout,
        "CONSUMER_PATCH": patch,
    }
    printed = consumer(whole, "event-type", **settings)
    assert printed.returncode == 0
    drafted = json.loads(printed.stdout)
    prefix = "item." if layout == "nested" else ""
    assert drafted["partition_key_fields"] == [f"{prefix}id"]
    assert "owning_application" in printed.stderr
    whole.nakadi.create_event_type(drafted)
    with pytest.raises(RefusedError):
        whole.nakadi.create_event_type(drafted)
    assert "category data" in consumer(whole, "check", **settings).stdout
    key = {"id": {"S": name}}
    items = [{"put": key | {"n": {"N": str(n)}}} for n in range(2)]
    whole.streams.control("write", table=TABLE, changes=[*items, {"delete": key}])
    worker = whole.start(**settings)
    whole.until(
        lambda: [event["key"] for event in whole.nakadi.log(name, fields="key")].count(name) == 3,
        "published",
    )
    worker.stop()


VIEW = '{"item": {"n": {"N": ["1"]}}}'


def test_a_view_needs_room_for_what_enters_and_leaves(whole: Cluster) -> None:
    name = "order-store.view"
    settings = {"CONSUMER_EVENT_TYPE": name, "CONSUMER_FILTER": VIEW}
    printed = consumer(whole, "event-type", **settings)
    drafted = json.loads(printed.stdout)
    schema = json.loads(drafted["schema"]["schema"])
    change = schema["properties"]["change"]
    assert change["properties"]["entered"] == change["properties"]["left"] == {"type": "boolean"}

    change["additionalProperties"] = False
    del change["properties"]["left"]
    drafted["schema"]["schema"] = json.dumps(schema)
    whole.nakadi.create_event_type(drafted)
    for command in ("run", "check"):
        refused = consumer(whole, command, **settings)
        assert refused.returncode == 2
        told = refused.stdout + refused.stderr
        assert "the schema's change has no left" in told
        assert '"left": {"type": "boolean"}' in told


def test_what_enters_and_leaves_a_view_is_published_as_the_draft_allows(whole: Cluster) -> None:
    name = "order-store.fitting-view"
    settings = {"CONSUMER_EVENT_TYPE": name, "CONSUMER_FILTER": VIEW}
    drafted = json.loads(consumer(whole, "event-type", **settings).stdout)
    schema = json.loads(drafted["schema"]["schema"])
    schema["properties"]["change"]["additionalProperties"] = False
    drafted["schema"]["schema"] = json.dumps(schema)
    whole.nakadi.create_event_type(drafted)
    assert (
        "a view: what enters is a C, what leaves a D" in consumer(whole, "check", **settings).stdout
    )
    key = {"id": {"S": name}}
    states = [{"put": key | {"n": {"N": n}}} for n in "0120"]
    whole.streams.control("write", table=TABLE, changes=states)
    worker = whole.start(**settings)

    def told() -> list[Any]:
        events = whole.nakadi.log(name, fields="key,data_op")
        return [event["data_op"] for event in events if event["key"] == name]

    whole.until(lambda: len(told()) == 2, "published")
    whole.until(lambda: worker.metric("consumer_records_skipped_total") >= 2, "read to the end")
    worker.stop()
    assert told() == ["C", "D"]


def test_a_filter_that_lambda_would_refuse_ends_every_command_with_one_line(whole: Cluster) -> None:
    for command in ("run", "check", "event-type"):
        refused = consumer(whole, command, CONSUMER_FILTER='{"item": {"name": {"S": "mary"}}}')
        assert refused.returncode == 2
        assert refused.stderr.count("\n") == 1
        assert refused.stderr.startswith(
            "consumer: CONSUMER_FILTER: found a value that is not shown"
        )
        assert "mary" not in refused.stdout + refused.stderr


def test_what_check_says_of_filters(whole: Cluster, keys_only: Cluster) -> None:
    sent = '{"dynamodb": {"NewImage": {"n": {"N": ["1"]}}}}'
    found = consumer(whole, "check", CONSUMER_FILTER=sent)
    assert found.returncode == 0
    assert "it takes no REMOVE" in found.stdout
    refused = consumer(keys_only, "check", CONSUMER_FILTER=VIEW)
    assert refused.returncode == 2
    assert "item can name key attributes only" in refused.stdout


def test_without_a_table_the_draft_says_what_to_correct(whole: Cluster) -> None:
    nowhere = {"AWS_ENDPOINT_URL_DYNAMODB_STREAMS": "http://127.0.0.1:1"}
    printed = consumer(whole, "event-type", **nowhere)
    assert printed.returncode == 0
    assert json.loads(printed.stdout)["partition_key_fields"] == ["id"]
    assert "the table's key is unknown" in printed.stderr
    named = consumer(whole, "event-type", CONSUMER_ORDERING_KEY="pk", **nowhere)
    assert json.loads(named.stdout)["ordering_instance_ids"] == ["data.pk"]
    assert "takes the dot for a path" not in named.stderr
    dotted = consumer(whole, "event-type", CONSUMER_ORDERING_KEY="order.id", **nowhere)
    assert "key attribute 'order.id': Nakadi takes the dot for a path" in dotted.stderr
