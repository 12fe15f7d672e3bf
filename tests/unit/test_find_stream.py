"""Which stream a worker starts with, and for how long one that does not answer is tried."""

import asyncio
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from consumer.core.leases.lease import StreamRow
from consumer.core.stream.stream import Stream, StreamPage, ViewType
from consumer.errors import Misconfigured, Retryable, ShardNotFound, Unreachable
from consumer.find_stream import (
    FoundStream,
    check_enabled,
    check_place,
    check_view_type,
    find_stream,
    is_known,
    patiently,
)
from consumer.runtime.discovery.bootstrap import first_row
from consumer.settings.fingerprint import fingerprint as fingerprint_of
from consumer.settings.loading import load_settings
from consumer.settings.settings import Settings
from tests.twins.fleet import source
from tests.twins.shard_list import ShardListTwin, stream
from tests.twins.virtual_time import HalfChance, VirtualClock, run


async def refused() -> None:
    raise Retryable("nobody listens", "unreachable")


def test_after_thirty_seconds_it_is_unreachable() -> None:
    async def main() -> None:
        clock = VirtualClock()
        with pytest.raises(Unreachable, match="the stream could not be reached for 30 s: no"):
            await patiently("the stream", refused, clock, HalfChance())
        assert 30 <= clock.now() < 33

    run(main)


def test_a_certificate_that_is_not_trusted_is_told_with_the_variable_to_set() -> None:
    async def untrusted() -> None:
        raise Retryable("certificate verify failed", "tls")

    async def main() -> None:
        with (
            capture_logs() as logs,
            pytest.raises(Unreachable, match="verify failed; set AWS_CA_BUNDLE to"),
        ):
            await patiently("the stream", untrusted, VirtualClock(), HalfChance())
        assert all(log["action"].startswith("set AWS_CA_BUNDLE to") for log in logs)

    run(main)


def test_a_right_that_is_missing_is_told_with_the_command_that_prints_all() -> None:
    async def denied() -> None:
        raise Retryable("DescribeStream: AccessDeniedException", "access_denied")

    async def main() -> None:
        with (
            capture_logs() as logs,
            pytest.raises(Unreachable, match=r"Denied.*; .*`consumer iam-policy` prints all"),
        ):
            await patiently("the stream", denied, VirtualClock(), HalfChance())
        assert all("`consumer iam-policy`" in log["action"] for log in logs)

    run(main)


def test_it_goes_on_as_soon_as_it_is_reached() -> None:
    async def main() -> None:
        clock = VirtualClock()

        async def reached_at_last() -> str:
            if clock.now() < 20:
                await refused()
            return "here"

        assert await patiently("the stream", reached_at_last, clock, HalfChance()) == "here"
        assert 20 <= clock.now() < 23

    run(main)


LABELS = ("2026-11-01T00:00:00.000", "2026-11-02T00:00:00.000", "2026-11-03T00:00:00.000")
FIRST, SECOND, THIRD = map(stream, LABELS)
FIT, NO_OLD = ViewType.NEW_AND_OLD_IMAGES, ViewType.NEW_IMAGE
ACCESS = Retryable("DescribeTable", "access_denied")


@dataclass
class Streams(ShardListTwin):
    """`existing` are the view types of the streams that exist, by label."""

    existing: dict[str, ViewType] = field(default_factory=dict)
    refusal: Retryable | None = None

    async def latest_stream(self, table: str) -> Stream | None:
        if self.refusal is not None:
            raise self.refusal
        return await super().latest_stream(table)

    async def describe_stream(self, stream: Stream, after_shard: str | None) -> StreamPage:
        if stream.label not in self.existing:
            raise ShardNotFound(stream.arn)
        page = await super().describe_stream(stream, after_shard)
        return replace(page, view_type=self.existing[stream.label])


def settings(**values: str) -> Settings:
    return load_settings(
        {
            "CONSUMER_TABLE": "orders",
            "CONSUMER_NAKADI_URL": "https://nakadi.example",
            "CONSUMER_EVENT_TYPE": "order-store.order",
            **values,
        }
    )


def rows(*streams: Stream, fingerprint: str | None = None) -> list[StreamRow]:
    """Rows of this application."""
    made: list[StreamRow] = []
    purpose = fingerprint_of(settings(), "id") if fingerprint is None else fingerprint
    for each in streams:
        row = first_row(source(fingerprint=purpose), each, made)
        made.append(row)
    return made


def found(client: Streams, known: Sequence[StreamRow] = (), **values: str) -> FoundStream:
    async def main() -> FoundStream:
        return await find_stream(settings(**values), client, known)

    return asyncio.run(main())


def test_the_newest_stream_is_taken_without_a_look_at_the_others() -> None:
    client = Streams(latest=SECOND, existing={LABELS[1]: FIT})
    for known in ([], rows(FIRST)):
        assert found(client, known).page.stream == SECOND
        assert found(client, known).doubt is None


@pytest.mark.parametrize(
    ("client", "words"),
    [
        (Streams(table_gone=True), "CONSUMER_TABLE: orders"),
        (Streams(latest=None), "has no stream"),
        (Streams(latest=SECOND), "does not exist"),
        (Streams(latest=SECOND, existing={LABELS[1]: ViewType.KEYS_ONLY}), "KEYS_ONLY"),
        (Streams(latest=SECOND, existing={LABELS[1]: NO_OLD}), "CONSUMER_PATCH=true"),
        (Streams(refusal=ACCESS), "DescribeTable"),
    ],
)
def test_what_ends_the_very_first_start_is_a_doubt_where_an_older_stream_is_known(
    client: Streams, words: str
) -> None:
    with pytest.raises((Misconfigured, Retryable), match=words):
        found(client)
    reading = dataclasses.replace(client, existing=client.existing | {LABELS[0]: FIT})
    with pytest.raises((Misconfigured, Retryable), match=words):
        found(reading, rows(replace(FIRST, table="another")))
    seen = found(reading, rows(FIRST))
    assert seen.page.stream == FIRST
    assert words in str(seen.doubt)


def test_the_newest_stream_that_can_be_read_is_taken() -> None:
    client = Streams(table_gone=True, existing=dict.fromkeys(LABELS[:2], FIT))
    assert found(client, rows(FIRST, SECOND, THIRD)).page.stream == SECOND
    passed = rows(FIRST, SECOND)
    passed[1] = replace(passed[1], passed_by="view_type")
    assert found(client, passed).page.stream == FIRST
    damaged = rows(FIRST, SECOND)
    damaged[1] = replace(damaged[1], unreadable="streamArn")
    assert found(client, damaged).page.stream == FIRST


def test_a_service_waits_for_a_mended_stream_but_not_for_mended_settings() -> None:
    client = Streams(latest=SECOND, existing={LABELS[1]: NO_OLD})
    seen = found(client, rows(FIRST))  # it is gone, and was read
    assert seen.page.stream == SECOND
    assert "CONSUMER_PATCH=true" in str(seen.doubt)
    with pytest.raises(Misconfigured, match="CONSUMER_PATCH=true"):
        found(client, rows(FIRST, SECOND, fingerprint="another purpose"))


def test_where_no_stream_is_left_the_table_is_named() -> None:
    with pytest.raises(Misconfigured, match="CONSUMER_TABLE: orders"):
        found(Streams(table_gone=True), rows(FIRST, SECOND))


def test_a_stream_that_does_not_answer_is_tried_again() -> None:
    client = Streams(latest=SECOND, existing={LABELS[1]: FIT}, failures=[])
    client.failures = [ACCESS, Retryable("DescribeStream", "timeout")]
    with pytest.raises(Retryable, match="DescribeTable"):
        found(client)
    client.failures = [ACCESS, Retryable("DescribeStream", "timeout")]
    with pytest.raises(Retryable, match="DescribeStream"):
        found(client, rows(SECOND))


def test_of_an_arn_only_that_stream_will_do() -> None:
    by_arn = {"CONSUMER_TABLE": "", "CONSUMER_STREAM_ARN": SECOND.arn}
    client = Streams(existing={LABELS[0]: FIT})
    with pytest.raises(Misconfigured, match=r"CONSUMER_STREAM_ARN: .*gone after 24 hours"):
        found(client, rows(FIRST, SECOND), **by_arn)
    client.existing[LABELS[1]] = NO_OLD
    with pytest.raises(Misconfigured, match="CONSUMER_PATCH=true"):
        found(client, rows(FIRST, SECOND), **by_arn)
    client.existing[LABELS[1]] = FIT
    assert found(client, (), **by_arn).page.stream == SECOND


def test_a_disabled_stream_is_refused_only_to_who_has_read_nothing_of_the_table() -> None:
    client = Streams(latest=SECOND, existing={LABELS[1]: FIT}, enabled=False)
    page = found(client).page
    by_arn = settings(CONSUMER_TABLE="", CONSUMER_STREAM_ARN=SECOND.arn)
    assert is_known(settings(), page, rows(FIRST))
    assert is_known(by_arn, page, rows(SECOND))
    assert not is_known(by_arn, page, rows(FIRST))
    assert not is_known(settings(), page, ())
    check_enabled(page, known=True)
    check_enabled(replace(page, enabled=True), known=False)
    with pytest.raises(Misconfigured, match="is disabled"):
        check_enabled(page, known=False)


def test_a_stream_is_not_read_below_what_events_of_another_say() -> None:
    page = StreamPage(FIRST, True, FIT, ("id",), (), None, 0.0)
    other = replace(FIRST, table="another", label=LABELS[2])
    with pytest.raises(Misconfigured) as error:
        check_place(settings(), page, rows(other))
    assert str(error.value).startswith(
        f"CONSUMER_STREAM_PREFIX: events of stream orders/{LABELS[0]} would say '{LABELS[0]}',"
        f" but those of stream another/{LABELS[2]} say '{LABELS[2]}', which sorts above"
    )
    check_place(settings(CONSUMER_STREAM_PREFIX="b-"), page, rows(other))
    check_place(settings(), replace(page, stream=THIRD), rows(replace(other, label=LABELS[0])))
    check_place(settings(), page, rows(FIRST, SECOND, THIRD))
    by_arn = settings(CONSUMER_TABLE="", CONSUMER_STREAM_ARN=FIRST.arn)
    with pytest.raises(Misconfigured, match=LABELS[1]):
        check_place(by_arn, page, rows(FIRST, SECOND))
    check_place(by_arn, page, rows(FIRST))


NEW_ONLY = '{"dynamodb": {"NewImage": {"kind": {"S": ["ORDER"]}}}}'
BY_KEYS = '{"item": {"id": {"S": [{"prefix": "ORDER#"}]}}}'
OLD = '{"dynamodb": {"OldImage": {"kind": {"S": ["ORDER"]}}}}'
VIEW = '{"item": {"kind": {"S": ["ORDER"]}}}'


def view_type_of(view_type: ViewType, **values: str) -> str:
    """What the start is refused with, nothing if it is not."""
    page = StreamPage(FIRST, True, view_type, ("id",), (), None, 0.0)
    try:
        check_view_type(settings(**values), page)
    except Misconfigured as error:  # exit code 2
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("asked", "fits"), [(NEW_ONLY, True), (BY_KEYS, True), (OLD, False), (VIEW, False)]
)
def test_a_filter_that_the_streams_images_cannot_answer_is_refused(asked: str, fits: bool) -> None:
    assert view_type_of(FIT, CONSUMER_FILTER=asked) == ""
    line = view_type_of(NO_OLD, CONSUMER_FILTER=asked, CONSUMER_PATCH="false")
    if fits:
        assert line == ""
        with_patch = view_type_of(NO_OLD, CONSUMER_FILTER=asked)
        assert "CONSUMER_PATCH=true needs NEW_AND_OLD_IMAGES" in with_patch
    else:
        assert "CONSUMER_FILTER: " in line
        assert "view type is NEW_IMAGE; use a stream with view type NEW_AND_OLD_IMAGES" in line
        assert "\n" not in line
        assert "ORDER" not in line


def test_a_stream_without_new_images_is_refused_whatever_the_filter_needs() -> None:
    for asked in ({}, {"CONSUMER_FILTER": BY_KEYS}):
        line = view_type_of(ViewType.KEYS_ONLY, CONSUMER_PATCH="false", **asked)
        assert "NEW_AND_OLD_IMAGES or NEW_IMAGE is needed" in line
