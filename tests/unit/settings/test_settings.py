"""Settings: what is accepted, what is refused, and with which words."""

from __future__ import annotations

import json
import re
import traceback
from pathlib import Path

import pytest
from pydantic import ConfigDict, ValidationError

from consumer.core.event.event import Layout
from consumer.core.limits import LeaseTiming, PollTiming, PublishLimits
from consumer.core.stream.stream import ViewType
from consumer.errors import Misconfigured
from consumer.settings.error import meaning_of
from consumer.settings.fingerprint import fingerprint
from consumer.settings.loading import APPLICATION, DEAD_LETTER_QUEUE, load_settings
from consumer.settings.routes import routes_of, view_types_of
from consumer.settings.settings import Settings

LEAST = {
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "http://localhost:8080/",
    "CONSUMER_EVENT_TYPE": "order-store.payment",
}
TOKEN = "s3" + "cret"  # never in one piece, since tracebacks quote this file
TOKEN_FILE = "/run/token"  # noqa: S105 - a path
TOKEN_SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:token-AbCdEf"  # noqa: S105
ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-11-01T09:30:00.000"


def load(**given: str) -> Settings:
    return load_settings(
        {**LEAST, **{f"CONSUMER_{key.upper()}": each for key, each in given.items()}}
    )


def refusal(**given: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        load(**given)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.exit_code == 2
    return line


def test_the_least_configuration_has_the_public_defaults() -> None:
    settings = load()
    assert settings.application == "order-store.payment"
    assert settings.nakadi_url == "http://localhost:8080"
    assert settings.lease_timing() == LeaseTiming()
    assert settings.poll_timing() == PollTiming()
    assert settings.publish_limits() == PublishLimits()
    assert settings.start == "TRIM_HORIZON"
    assert settings.start_time is None
    assert settings.http_port == 8080
    assert settings.http_host is None
    assert settings.queue_bytes == 268_435_456
    assert view_types_of(settings, ("id",)) == {ViewType.NEW_AND_OLD_IMAGES}


def test_each_default_is_one_that_could_be_given() -> None:
    """They are not checked when settings are loaded."""

    class Checked(Settings):
        model_config = ConfigDict(validate_default=True)

    least = {name.removeprefix("CONSUMER_").lower(): text for name, text in LEAST.items()}
    assert dict(Checked.model_validate(least)) == dict(Settings.model_validate(least))


def test_defaults_that_follow_the_event_type_can_be_set_apart() -> None:
    settings = load(application="payments", data_type="payment")
    assert (settings.application, settings.data_type) == ("payments", "payment")


def test_limits_carry_every_setting_to_its_place() -> None:
    settings = load(
        lease_duration_seconds="20",
        heartbeat_seconds="3",
        scan_seconds="4",
        discovery_seconds="50",
        checkpoint_seconds="6",
        drain_seconds="7",
        poll_seconds="0.5",
        poll_idle_seconds="1.5",
        poll_idle_max_seconds="2.5",
        batch_events="10",
        batch_bytes="2000",
        key_run_events="3",
        linger_seconds="0.1",
        publish_concurrency="4",
        probe_seconds="5",
        max_attempts="6",
        dead_letter_limit="0",
        max_record_age_seconds="3600",
        dead_letter_queue_url="https://sqs.eu-central-1.amazonaws.com/1/q",
    )
    assert settings.lease_timing() == LeaseTiming(3, 20, 2, 4, 50, 6, 7)
    assert settings.poll_timing() == PollTiming(0.5, 1.5, 2.5)
    assert settings.publish_limits() == PublishLimits(10, 2000, 3, 0.1, 4, 5, 6, 0, 3600)


def test_the_format_takes_the_partition_key_unless_told_otherwise() -> None:
    (route,) = routes_of(load(), ("order_id", "line"))
    assert route.format.ordering_key == ("order_id",)
    assert (route.event_type, route.keys) == ("order-store.payment", ("order_id", "line"))
    assert route.limits == load().publish_limits()
    assert load().event_types == ("order-store.payment",)
    settings = load(
        ordering_key="tenant, order_id",
        layout="NESTED",
        patch="off",
        patch_field="p",
        change_field="c",
        event_bytes="5000",
        data_type="d",
        stream_prefix="b-",
    )
    assert view_types_of(settings, ("id",)) == {ViewType.NEW_IMAGE, ViewType.NEW_AND_OLD_IMAGES}
    made = routes_of(settings, ("tenant",))[0].format
    assert made.ordering_key == ("tenant", "order_id")
    assert (made.data_type, made.event_bytes, made.stream_prefix) == ("d", 5000, "b-")
    assert (made.layout, made.patch, made.patch_field, made.change_field) == (
        Layout.NESTED,
        False,
        "p",
        "c",
    )


def test_the_fingerprint_is_the_purpose_and_nothing_else() -> None:
    plain = fingerprint(load(), "order_id")
    assert json.loads(plain) == {
        "event_type": "order-store.payment",
        "data_type": "order-store.payment",
        "ordering_key": ["order_id"],
        "layout": "flat",
        "patch": True,
    }
    assert fingerprint(load(ordering_key="order_id"), "order_id") == plain
    others = load(batch_events="3", application="x", stream_prefix="b-")
    assert fingerprint(others, "order_id") == plain
    for change in (
        {"data_type": "x"},
        {"layout": "nested"},
        {"patch": "no"},
        {"ordering_key": "x"},
    ):
        assert fingerprint(load(**change), "order_id") != plain


@pytest.mark.parametrize(
    ("text", "start", "epoch"),
    [
        ("Trim_Horizon", "TRIM_HORIZON", None),
        ("LATEST", "LATEST", None),
        ("latest", "LATEST", None),
        ("2025-11-01T09:30:00Z", "2025-11-01T09:30:00Z", 1761989400.0),
        ("2025-11-01T10:30:00+01:00", "2025-11-01T09:30:00Z", 1761989400.0),
    ],
)
def test_a_start_is_a_position_or_a_time(text: str, start: str, epoch: float | None) -> None:
    settings = load(start=text)
    assert (settings.start, settings.start_time) == (start, epoch)


@pytest.mark.parametrize(
    ("name", "found", "wanted"),
    [
        ("start", "2026-01-01T00:00:00", "time with its zone"),
        ("start", "yesterday", "trim_horizon, latest or a time"),
        ("start", "2999-01-01T00:00:00Z", "a time that has passed"),
        ("table", "no", "3 to 255"),
        ("table", ARN, "no ARN"),
        ("poll_seconds", "soon", "a valid number"),
        ("poll_seconds", "0", "a number greater than 0"),
        ("poll_seconds", "nan", "a finite number"),
        ("heartbeat_seconds", "inf", "a finite number"),
        ("batch_events", "0", "a number greater than or equal to 1"),
        ("batch_events", "1.5", "a valid integer"),
        ("patch", "perhaps", "true or false"),
        ("layout", "deep", "'flat' or 'nested'"),
        ("stream_prefix", "b/", "at most 32 of a-z A-Z 0-9 _ . : ~ -"),
        ("stream_prefix", "b" * 33, "at most 32 of"),
        ("event_type", "a b", "the name of a Nakadi event type"),
        ("event_type", "a/b", "the name of a Nakadi event type"),
        ("nakadi_url", "nakadi:8080", "an http or https URL"),
        ("nakadi_url", "http://", "an http or https URL"),
        ("nakadi_url", "http://[1", "an http or https URL"),
        ("nakadi_url", "http://nakadi..example.org", "labels of 1 to 63 letters"),
        ("nakadi_url", f"https://{'a' * 64}.org", "labels of 1 to 63 letters"),
        ("nakadi_url", "http://256.0.0.1:8080/", "an IP address"),
        ("nakadi_url", "http://[:::1]", "an IP address"),
        ("dead_letter_queue_url", "https://sqs..amazonaws.com/1/q", "labels of 1 to 63 letters"),
        ("dead_letter_queue_url", f"https://sqs.{'a' * 64}.com/1/q", "labels of 1 to 63"),
        ("dead_letter_queue_url", "arn:aws:sqs:x", "an http or https URL"),
        ("http_allowed_hosts", "relay:8080", "host names without ports"),
        ("http_allowed_hosts", "a,,b", "host names without ports"),
        ("ordering_key", "a,,b", "different attribute names"),
        ("ordering_key", "a,a", "different attribute names"),
        ("start", "0001-01-01T00:00:00+14:00", "a time with its zone"),
        ("start", "9999-12-31T23:59:59-14:00", "a time with its zone"),
        ("http_port", "65536", "less than or equal to 65535"),
        ("log_format", "xml", "'json' or 'text'"),
        ("log_level", "loud", "'DEBUG'"),
        ("application", "a\x07b", "control characters"),
        ("application", "x" * 256, "at most 255 characters"),
    ],
)
def test_a_refusal_names_the_setting_what_was_found_and_what_is_wanted(
    name: str, found: str, wanted: str
) -> None:
    line = refusal(**{name: found})
    assert line.startswith(f"CONSUMER_{name.upper()}: found ")
    assert wanted in line.partition(", wanted ")[2]
    assert repr(found)[1:60] in line


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ('{"item": {"name": {"S": "mary.smith"}}}', "item.name.S: "),
        ('{"item": {"name": {"S": []}}}', "item.name.S: an empty list"),
        ('["mary.smith"]', "[0]: "),
        ("mary.smith", "JSON"),
        ("[]", "an empty list of patterns"),
        ("{}", "empty"),
        ('{"Filters": [{"Pattern": "mary.smith"}]}', "Filters[0].Pattern: "),
    ],
)
def test_a_filter_that_is_refused_is_named_by_its_place_and_not_shown(
    found: str, reason: str
) -> None:
    line = refusal(filter=found)
    assert line.startswith("CONSUMER_FILTER: found a value that is not shown, wanted ")
    assert reason in line
    assert "mary" not in line


def test_without_a_filter_everything_is_published() -> None:
    settings = load()
    assert settings.only is None
    assert [route.filter for route in routes_of(settings, ("id",))] == [None]


def test_the_criteria_of_an_event_source_mapping_are_taken_as_they_are() -> None:
    """As `aws lambda get-event-source-mapping --query FilterCriteria` prints them."""
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["ORDER"]}}}}
    criteria = {"Filters": [{"Pattern": json.dumps(pattern)}]}
    (route,) = routes_of(load(filter=json.dumps(criteria, indent=4)), ("id",))
    assert route.filter is not None
    ((branch,),) = (pattern.branches for pattern in route.filter.patterns)
    assert [*branch] == ["eventName", "dynamodb.NewImage.kind.S"]
    assert [leaf.equals for (leaf,) in branch.values()] == ["INSERT", "ORDER"]


@pytest.mark.parametrize(
    ("asked", "patch", "fit"),
    [
        ('{"dynamodb": {"NewImage": {"a": {"S": ["x"]}}}}', "false", {"NEW_IMAGE"}),
        ('{"dynamodb": {"NewImage": {"a": {"S": ["x"]}}}}', "true", set()),
        ('{"item": {"id": {"S": ["x"]}}}', "false", {"NEW_IMAGE"}),
        ('{"item": {"a": {"S": ["x"]}}}', "false", set()),
    ],
)
def test_a_filter_needs_the_images_that_it_asks_for(asked: str, patch: str, fit: set[str]) -> None:
    assert view_types_of(load(filter=asked, patch=patch), ("id",)) == fit | {"NEW_AND_OLD_IMAGES"}


@pytest.mark.parametrize(
    ("given", "named", "wanted"),
    [
        ({"stream_arn": ARN}, "CONSUMER_TABLE, CONSUMER_STREAM_ARN", "exactly one"),
        ({"table": ""}, "CONSUMER_TABLE, CONSUMER_STREAM_ARN", "one of the two"),
        (
            {"nakadi_client_key_file": "/etc/tls.key"},
            "CONSUMER_NAKADI_CLIENT_CERT_FILE, CONSUMER_NAKADI_CLIENT_KEY_FILE",
            "a certificate if there is a key",
        ),
        ({"heartbeat_seconds": "2.7"}, "CONSUMER_HEARTBEAT_SECONDS", "three heartbeats"),
        ({"lease_duration_seconds": "7.9"}, "CONSUMER_LEASE_DURATION_SECONDS", "three heartbeats"),
        ({"scan_seconds": "3.4"}, "CONSUMER_SCAN_SECONDS", "a third of the lease duration"),
        ({"queue_bytes": "16777215"}, "CONSUMER_QUEUE_BYTES", "at least 16 MiB"),
        (
            {"max_record_age_seconds": "3600"},
            "CONSUMER_MAX_RECORD_AGE_SECONDS, CONSUMER_DEAD_LETTER_QUEUE_URL",
            "a dead letter queue",
        ),
        (
            {"cloudwatch_namespace": "relay", "log_format": "text"},
            "CONSUMER_CLOUDWATCH_NAMESPACE",
            "json and INFO",
        ),
        (
            {"cloudwatch_namespace": "relay", "log_level": "WARNING"},
            "CONSUMER_LOG_LEVEL",
            "json and INFO",
        ),
        ({"drain_seconds": "1"}, "CONSUMER_DRAIN_SECONDS", "more than 1 s"),
        (
            {"poll_idle_seconds": "3"},
            "CONSUMER_POLL_IDLE_MAX_SECONDS",
            "no shorter than the shortest",
        ),
        ({"patch_field": "change"}, "CONSUMER_CHANGE_FIELD", "two different names"),
        ({"layout": "nested", "patch_field": "item"}, "CONSUMER_PATCH_FIELD", "'item'"),
        ({"layout": "nested", "change_field": "item"}, "CONSUMER_CHANGE_FIELD", "'item'"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(
    given: dict[str, str], named: str, wanted: str
) -> None:
    line = refusal(**given)
    assert named in line.partition(": found ")[0]
    assert wanted in line.partition(", wanted ")[2]


@pytest.mark.parametrize(
    ("name", "most", "more"),
    [
        ("event_bytes", "2000000", "5000000"),
        ("batch_bytes", "50000000", "90000000000"),
        ("batch_events", "500000", "500001"),
        ("key_run_events", "500000", "500001"),
        ("publish_concurrency", "1000", "100000"),
        ("lease_duration_seconds", "86400", "1e99"),
        ("heartbeat_seconds", "28000", "1e30"),
        ("drain_seconds", "86400", "86401"),
        ("max_record_age_seconds", "31536000", "31536001"),
    ],
)
def test_a_number_that_nobody_can_mean_is_refused(name: str, most: str, more: str) -> None:
    lasting = {"lease_duration_seconds": "86400", "dead_letter_queue_url": "https://q"}
    assert getattr(load(**{**lasting, name: most}), name) == float(most)
    told = f"CONSUMER_{name.upper()}: found '{more}', wanted a number less than or equal to"
    with pytest.raises(Misconfigured, match=told):
        load(**{**lasting, name: more})


def test_limits_at_their_edge_are_accepted() -> None:
    load(lease_duration_seconds="8", heartbeat_seconds="2")
    load(lease_duration_seconds="12", scan_seconds="4")
    load(queue_bytes="16777216", drain_seconds="1.01", poll_idle_seconds="2")
    load(patch_field="item")  # only the nested layout keeps an item under that name


def test_what_is_missing_is_named_before_what_follows_from_it() -> None:
    line = refusal(event_type="", application="")
    assert line.endswith("found nothing, wanted the event type to publish to, or CONSUMER_ROUTES")
    assert refusal(nakadi_url=" ", poll_seconds="x").startswith(
        "CONSUMER_NAKADI_URL: found nothing"
    )


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(Misconfigured) as raised:
        load_settings({})
    assert str(raised.value) == (
        "CONSUMER_EVENT_TYPE: found nothing, wanted the event type to publish to, or"
        " CONSUMER_ROUTES;"
        " CONSUMER_NAKADI_URL: found nothing, wanted the base URL of Nakadi;"
        " CONSUMER_TABLE, CONSUMER_STREAM_ARN: found nothing and nothing,"
        " wanted one of the two"
    )
    with pytest.raises(Misconfigured) as raised:
        load_settings({}, [APPLICATION, DEAD_LETTER_QUEUE])
    assert str(raised.value) == (
        "CONSUMER_APPLICATION, CONSUMER_EVENT_TYPE: found nothing and nothing,"
        " wanted one of the two;"
        " CONSUMER_DEAD_LETTER_QUEUE_URL: found nothing, wanted the SQS queue for refused events"
    )


@pytest.mark.parametrize("name", ["CONSUMER_APPLICATION", "CONSUMER_EVENT_TYPE"])
def test_a_command_about_leases_needs_the_application_only(name: str) -> None:
    settings = load_settings({name: "orders"}, [APPLICATION])
    assert settings.application == "orders"
    with pytest.raises(Misconfigured, match=r"^CONSUMER_APPLICATION, CONSUMER_EVENT_TYPE: found"):
        load_settings({}, [APPLICATION])


def test_an_event_type_that_is_wrong_is_named_and_not_what_follows_it() -> None:
    assert refusal(event_type="a" * 300).startswith("CONSUMER_EVENT_TYPE: found 'aaa")


def test_what_a_command_does_not_need_must_still_be_right() -> None:
    with pytest.raises(Misconfigured, match="CONSUMER_NAKADI_URL: found 'nowhere'"):
        load_settings(
            {"CONSUMER_APPLICATION": "orders", "CONSUMER_NAKADI_URL": "nowhere"}, [APPLICATION]
        )


@pytest.mark.parametrize(
    "kinds",
    [
        ("nakadi_token", "nakadi_token_file"),
        ("nakadi_token", "nakadi_token_secret"),
        ("nakadi_token_file", "nakadi_token_secret"),
    ],
)
def test_two_kinds_of_token_at_once_are_refused(kinds: tuple[str, str]) -> None:
    given = {
        "nakadi_token": TOKEN,
        "nakadi_token_file": TOKEN_FILE,
        "nakadi_token_secret": TOKEN_SECRET,
    }
    line = refusal(**{kind: given[kind] for kind in kinds})
    assert "at most one" in line
    assert TOKEN not in line


@pytest.mark.parametrize(
    "arn", ["token", f"{TOKEN_SECRET}:token::", TOKEN_SECRET.replace(":secret:", ":key:")]
)
def test_a_secret_is_named_by_its_arn(arn: str) -> None:
    assert load(nakadi_token_secret=TOKEN_SECRET).nakadi_token_secret == TOKEN_SECRET
    assert "wanted the ARN of a secret" in refusal(nakadi_token_secret=arn)


def test_white_space_around_a_token_is_ignored() -> None:
    token = load(nakadi_token=f" {TOKEN}\n").nakadi_token
    assert token is not None
    assert token.get_secret_value() == TOKEN


def test_the_token_is_in_no_text() -> None:
    settings = load(nakadi_token=TOKEN)
    assert TOKEN not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize("broken", [{"nakadi_token": f"{TOKEN} two"}, {"poll_seconds": "x"}])
def test_no_error_carries_the_token_not_even_in_its_traceback(broken: dict[str, str]) -> None:
    with pytest.raises(Misconfigured) as caught:
        load(**{"nakadi_token": TOKEN, **broken})
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "url", [f"http://user:{TOKEN}@host/", f"http://host/?access_token={TOKEN}"]
)
def test_credentials_in_a_url_are_refused_and_not_repeated(url: str) -> None:
    line = refusal(nakadi_url=url)
    assert TOKEN not in line
    assert "without credentials" in line


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load().http_port = 1  # type: ignore[misc]  # that is what is refused


def test_every_setting_is_explained_where_it_is_defined() -> None:
    for name in Settings.model_fields:
        meaning = meaning_of(Settings, name)
        assert meaning, name
        assert re.search(r"\.\)?$", meaning), name


def test_every_public_variable_exists() -> None:
    """The names of the public interface; charts and scripts lean on them."""
    public = """
        application table stream_arn start lease_table lease_table_create accept_change
        lease_duration_seconds heartbeat_seconds scan_seconds discovery_seconds checkpoint_seconds
        poll_seconds poll_idle_seconds poll_idle_max_seconds nakadi_url nakadi_client_cert_file
        nakadi_client_key_file nakadi_token_file nakadi_token nakadi_token_secret event_type
        data_type ordering_key patch patch_field change_field layout stream_prefix
        batch_events batch_bytes probe_seconds event_bytes key_run_events linger_seconds
        publish_concurrency publish_timeout_seconds max_record_age_seconds max_attempts
        queue_bytes drain_seconds
        dead_letter_queue_url dead_letter_limit http_host http_port http_allowed_hosts
        log_level log_format
    """
    assert set(public.split()) <= Settings.model_fields.keys()


def test_a_file_path_is_a_path() -> None:
    assert load(nakadi_token_file=TOKEN_FILE).nakadi_token_file == Path(TOKEN_FILE)
