"""Answers of Nakadi, and of what stands in front of it, as values."""

import json

import pytest

from consumer.core.publishing.answer import (
    MAX_DETAIL,
    Answer,
    BatchItemResponse,
    PublishingStatus,
    no_answer,
    parse_answer,
    without_body,
)

SUBMITTED = {
    "publishing_status": "submitted",
    "detail": "",
    "step": "publishing",
    "eid": "e-1",
    "partition": "3",
}
FAILED = SUBMITTED | {"publishing_status": "failed", "detail": "timed out", "partition": "1"}
ABORTED = {"publishing_status": "aborted", "step": "none", "eid": "", "partition": None}


def parse(status: int, body: object = b"", headers: dict[str, str] | None = None) -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_answer(status, headers or {}, text)


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_200_is_the_whole_request_stored(body: bytes) -> None:
    answer = parse_answer(200, {"x-flow-id": "f"}, body)
    assert answer == Answer(200, None, None, "f", "http_200", "")


@pytest.mark.parametrize(
    "body",
    [b"<html>log in</html>", b"OK", b"[1]", b'"stored"', b'{"message":"please log in"}'],
)
def test_a_200_that_says_something_is_not_nakadis(body: bytes) -> None:
    answer = parse(200, body)
    assert (answer.status, answer.reason) == (0, "unexpected_body")


@pytest.mark.parametrize("body", [b"{}", b" [] "])
def test_a_200_with_empty_json_is_the_whole_request_stored(body: bytes) -> None:
    assert parse(200, body).status == 200


@pytest.mark.parametrize("status", [200, 207, 422])
def test_where_the_body_decides_nothing_is_known_without_it(status: int) -> None:
    found = without_body(status, {"x-flow-id": "f"}, "damaged gzip")
    assert found == Answer(0, None, None, "f", "unreadable", f"{status}: damaged gzip")


@pytest.mark.parametrize("status", [400, 401, 413, 429, 503])
def test_without_a_body_a_status_is_nobodys_word_and_still_a_status(status: int) -> None:
    found = without_body(status, {"retry-after": "7"}, "w" * (2 * MAX_DETAIL))
    assert (found.status, found.retry_after, found.by_nakadi) == (status, 7.0, False)
    assert len(found.detail) == MAX_DETAIL


PROBLEM = {"title": "Bad Request", "status": 400, "detail": "why"}


@pytest.mark.parametrize(
    "body",
    [
        b" <html>Bad Request</html>",
        b"",
        b"blocked",
        b"null",
        b'"Bad Request"',
        {"message": "Forbidden"},
        {"timestamp": "2026-11-21T08:46:01.964+00:00", "status": 400, "error": "Bad Request"},
        {"title": "Bad Request"},
        {"title": "Bad Request", "status": "400"},
        {"title": "Bad Request", "status": True},
        {"title": None, "status": 400},
        [PROBLEM],
    ],
)
@pytest.mark.parametrize("status", [301, 400, 403, 404, 405, 415])
def test_what_is_no_problem_is_not_nakadis(status: int, body: object) -> None:
    answer = parse(status, body)
    assert (answer.status, answer.by_nakadi, answer.reason) == (
        status,
        False,
        f"foreign_{status}",
    )


@pytest.mark.parametrize("status", [400, 403, 404, 422, 503])
def test_a_problem_is_nakadis_word(status: int) -> None:
    answer = parse(status, PROBLEM)
    assert (answer.by_nakadi, answer.reason) == (True, f"http_{status}")
    assert answer.detail == "Bad Request: why"
    assert parse(400, {"title": "Bad Request", "status": 400}).by_nakadi  # as of a wrong type


@pytest.mark.parametrize("status", [401, 408, 413, 425, 429, 500, 503])
def test_some_statuses_mean_the_same_whoever_says_them(status: int) -> None:
    answer = parse(status, b"no")
    assert (answer.status, answer.by_nakadi, answer.reason) == (status, False, f"http_{status}")


@pytest.mark.parametrize("status", [200, 207, 422])
def test_items_are_read_by_index(status: int) -> None:
    answer = parse(status, [SUBMITTED, FAILED, ABORTED])
    assert answer.status == status
    assert answer.items == (
        BatchItemResponse(PublishingStatus.SUBMITTED, "publishing", "", "3", "e-1"),
        BatchItemResponse(PublishingStatus.FAILED, "publishing", "timed out", "1", "e-1"),
        BatchItemResponse(PublishingStatus.ABORTED, "none", "", None),
    )


def test_items_are_read_leniently_where_nothing_depends_on_it() -> None:
    odd = {"publishing_status": "failed", "step": None, "detail": {"a": 1}, "partition": 7, "x": 1}
    answer = parse(207, [odd])
    assert answer.items is not None
    assert answer.items[0] == BatchItemResponse(PublishingStatus.FAILED, "none", "{'a': 1}", "7")


def test_a_name_that_is_too_long_to_be_remembered_is_none() -> None:
    for length, given in ((255, True), (256, False)):
        items = parse(207, [{**FAILED, "partition": "p" * length}]).items
        assert items is not None
        assert items[0] is not None
        assert items[0].partition == ("p" * length if given else None)


@pytest.mark.parametrize("status", [207, 422])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[",
        b"null",
        [],
        [None],
        [[], 1, "submitted"],
        [{"publishing_status": "new"}],
        [{"step": "none"}],
        json.dumps([SUBMITTED, FAILED]).encode()[:-1],
    ],
)
def test_without_an_item_that_is_understood_it_is_no_answer(status: int, body: object) -> None:
    answer = parse(status, body)
    assert (answer.status, answer.items, answer.reason) == (0, None, "unreadable")


@pytest.mark.parametrize("odd", [None, {"publishing_status": "new"}, {"step": "none"}, "failed"])
def test_an_item_that_is_not_understood_is_none(odd: object) -> None:
    items = parse(207, [odd, SUBMITTED]).items
    assert items is not None
    assert items[0] is None
    assert items[1] is not None


def test_a_422_about_the_request_itself_has_no_items() -> None:
    answer = parse(422, {"title": "Unprocessable Entity", "status": 422, "detail": "bad header"})
    assert (answer.status, answer.items) == (422, None)
    assert answer.detail == "Unprocessable Entity: bad header"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 502, 503, 504])
def test_items_of_other_statuses_are_not_believed(status: int) -> None:
    answer = parse(status, [SUBMITTED])
    assert (answer.status, answer.items, answer.by_nakadi) == (status, None, False)


def test_the_http_status_counts_not_the_one_in_the_body() -> None:
    assert parse(503, {"title": "down", "status": 500}).status == 503


def test_an_oauth_error_is_a_detail() -> None:
    answer = parse(401, {"error": "invalid_token", "error_description": "expired"})
    assert answer.detail == "invalid_token: expired"


def test_of_a_body_that_is_no_problem_nothing_is_said_but_its_size_and_type() -> None:
    answer = parse_answer(403, {"content-type": "text/html"}, b"#/data/v: MARKER")
    assert answer.detail == "16 bytes of text/html"
    assert "MARKER" not in parse(422, b'[{"detail": "MARKER"}]').detail


def test_details_are_bounded() -> None:
    long = "x" * (2 * MAX_DETAIL)
    assert len(parse(400, {"detail": long}).detail) == MAX_DETAIL
    assert len(no_answer("reset", long, None).detail) == MAX_DETAIL
    (item,) = parse(207, [FAILED | {"detail": long}]).items or ()
    assert item is not None
    assert len(item.detail) == MAX_DETAIL


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "17"}, 17.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "9" * 400}, 999_999_999.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "²"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sun, 01 Nov 2026 09:30:20 GMT"}, None),
        (
            {
                "retry-after": "Sun, 01 Nov 2026 09:30:20 GMT",
                "date": "Sun, 01 Nov 2026 09:30:00 GMT",
            },
            20.0,
        ),
        (
            {
                "retry-after": "Sun, 01 Nov 2026 09:29:00 -0000",
                "date": "Sun, 01 Nov 2026 09:30:00 GMT",
            },
            0.0,
        ),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert parse(503, headers=headers).retry_after == seconds


def test_no_answer_has_status_0() -> None:
    assert no_answer("timeout", "40 s", "f") == Answer(0, None, None, "f", "timeout", "40 s")


def test_what_is_nested_too_deeply_says_nothing() -> None:
    nested = b"[" * 1000 + b"]" * 1000
    body = b'[{"publishing_status":"failed","detail":%b,"partition":%b}]' % (nested, nested)
    (item,) = parse_answer(207, {}, body).items or ()
    assert item is not None
    assert (item.status, item.detail, item.partition) == (PublishingStatus.FAILED, "", None)
    assert parse_answer(503, {}, b'{"title":%b,"detail":"down"}' % nested).detail == "down"


def test_a_date_out_of_range_is_none() -> None:
    headers = {
        "retry-after": "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
        "date": "Mon, 01 Jan 2026 00:00:00 GMT",
    }
    assert parse_answer(429, headers, b"").retry_after is None
