"""Whatever says it is Nakadi: each answer, to each call, is one of the port's own outcomes."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable

import pytest

from consumer.adapters import nakadi as nakadi_module
from consumer.adapters.clock import SystemClock
from consumer.adapters.nakadi import Nakadi
from consumer.adapters.token import NoToken
from consumer.core.preflight.event_definition import parse_definition
from consumer.core.publishing.placement import Partitioning, Placement
from consumer.core.publishing.reaction import Circumstances, Outage, Split, Unauthorised, react
from consumer.core.publishing.signs_of_life import SignsOfLife
from consumer.errors import Retryable
from tests.unit.core.events import event
from tests.wire import Request, Say, Wire, http

DEEP = b"[" * 100_000 + b"]" * 100_000
NESTED = b"[" * 1000 + b"]" * 1000  # orjson reads it, and str() of it fails
NO_LENGTH = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


ALONE = Circumstances(100, 0.0, 0.5, SignsOfLife(Placement(Partitioning())))


@pytest.fixture
async def port(line: Wire) -> AsyncIterator[Nakadi]:
    """A publisher with one connection: an answer that kept it would be the last one."""
    async with Nakadi(
        line.url, "orders", NoToken(), SystemClock(), concurrency=1, timeout=5.0
    ) as publisher:
        yield publisher


def item(**members: bytes) -> bytes:
    text = b",".join(b'"%b":%b' % (name.encode(), value) for name, value in members.items())
    return b"[{%b}]" % text


CUT = b"HTTP/1.1 503 No\r\nContent-Length"
SUBMITTED = b'"submitted"'

ODD = {
    "a phrase in Latin-1": b"HTTP/1.1 503 Zur\xfcck\r\nContent-Length: 0\r\n\r\n",
    "a 200 with such a phrase": b"HTTP/1.1 200 Gew\xe4hrt\r\nContent-Length: 0\r\n\r\n",
    "a header in Latin-1": b"HTTP/1.1 503 No\r\nX-Flow-Id: \xfc\r\nContent-Length: 0\r\n\r\n",
    "a page in Latin-1": http(b"<html>\xe4\xff</html>", "502 Bad Gateway"),
    "a 422 in Latin-1": http(b"\xe4\xff", "422 Sorry"),
    "an odd charset": http(b"\xff", "500 Oops", "Content-Type: text/html; charset=nonsense"),
    "an array": http(b"[]", "500 Oops"),
    "a text": http(b'"x"', "400 Bad Request"),
    "a number": http(b"5", "207 Multi-Status"),
    "null": http(b"null", "422 Sorry"),
    "nested deeply": http(DEEP, "207 Multi-Status"),
    "a nested title": http(b'{"title":%b}' % NESTED, "503 Oops"),
    "a nested status": http(item(publishing_status=NESTED), "207 Multi-Status"),
    "a nested step": http(item(publishing_status=SUBMITTED, step=NESTED), "207 Multi-Status"),
    "a nested detail": http(item(publishing_status=SUBMITTED, detail=NESTED), "422 Sorry"),
    "a nested partition": http(item(publishing_status=SUBMITTED, partition=NESTED), "422 Sorry"),
    "a retry-after of a thousand digits": http(b"", "429 No", f"Retry-After: {'9' * 1000}"),
    "a retry-after in a zone of its own": http(
        b"",
        "429 No",
        "Retry-After: Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
        "Date: Mon, 01 Jan 2026 00:00:00 GMT",
    ),
    "a redirect to nowhere": http(b"", "302 Found", "Location: http://[bad"),
    "a redirect in Latin-1": b"HTTP/1.1 302 No\r\nLocation: \xfc\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": http(b"", "2000 OK"),
    "a cookie that is none": http(b"", "503 No", "Set-Cookie: \x01=;;=;expires=x"),
    "gzip that is none": http(b"broken", "503 No", "Content-Encoding: gzip"),
    "a coding nobody knows": http(b"broken", "503 No", "Content-Encoding: br, zstd, gzip, x"),
    "an info first": b"HTTP/1.1 103 H\xe4\r\n\r\n" + http(b"", "503 No"),
    "half a head": CUT,
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
async def test_any_answer_to_an_event_is_an_answer(line: Wire, port: Nakadi, data: bytes) -> None:
    line.say(Say(data, "close" if data == CUT else "keep"))
    for _ in range(3):
        answer = await port.publish([b"{}"])
        assert answer.status != 200
        assert answer.reason != "error"
    line.say(Say(http(b"")))
    assert (await port.publish([b"{}"])).status == 200


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
async def test_any_answer_to_a_get_can_be_read_or_tried_again(
    line: Wire, port: Nakadi, data: bytes
) -> None:
    line.say(Say(data, "close" if data == CUT else "keep"))
    for _ in range(3):
        for call in (port.event_type, port.partitions):
            reason = ""
            try:
                await call()
            except Retryable as failure:
                reason = failure.reason
            assert reason != "error"
    line.say(Say(http(b'[{"partition":"0"}]')))
    assert await port.partitions() == ("0",)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"5",
        b"\xff",
        DEEP,
        b'{"category":5}',
        b'{"category":"data","cleanup_policy":%b}' % NESTED,
        b'{"category":"data","partition_strategy":%b}' % NESTED,
        b'{"category":"data","partition_key_fields":[5,{}],"schema":{"schema":"{"}}',
        b'{"category":"data","schema":{"schema":%b}}' % json.dumps(DEEP.decode()).encode(),
        b'{"category":"data","schema":{"schema":"{\\"required\\":5,\\"properties\\":[]}"}}',
    ],
    ids=range(10),
)
async def test_an_odd_definition_is_a_definition_or_none(
    line: Wire, port: Nakadi, body: bytes
) -> None:
    line.say(Say(http(body)))
    status, found, _ = await port.event_type()
    assert status == 200
    parse_definition(found)


async def test_a_body_without_an_end_is_not_read_to_its_end(line: Wire, port: Nakadi) -> None:
    line.say(Say(NO_LENGTH + b" " * 32_000_000, "hang"))
    for call in (port.event_type, port.partitions):
        with pytest.raises(Retryable, match="longer than") as failure:
            await call()
        assert failure.value.reason == "unreadable"
    answer = await port.publish([b"{}"])
    assert (answer.status, answer.reason) == (0, "unreadable")


ITEMS = item(publishing_status=b'"failed"', step=b'"publishing"')
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIP = "Content-Encoding: gzip"

NO_PROOF = {
    "deflate": Say(http(zlib.compress(b""), "200 OK", "Content-Encoding: deflate")),
    "a coding nobody knows": Say(http(b"ok", "200 OK", "Content-Encoding: garbage")),
    "gzip that is none": Say(http(b"ok", "200 OK", GZIP)),
    "gzip that is cut": Say(http(gzip.compress(ITEMS)[:-6], "200 OK", GZIP)),
    "gzip that is cut in its head": Say(http(gzip.compress(b"")[:5], "200 OK", GZIP)),
    "gzip with items behind it": Say(
        http(gzip.compress(b"") + gzip.compress(ITEMS), "200 X", GZIP)
    ),
    "gzip with a page behind it": Say(http(gzip.compress(b"") + b"<html>", "200 OK", GZIP)),
    "gzip of gzip": Say(http(gzip.compress(gzip.compress(b"")), "200 OK", f"{GZIP}, gzip")),
    "chunks in a coding": Say(CHUNKS.replace(b"chunked", b"gzip, chunked") + b"0\r\n\r\n"),
    "a transfer coding nobody knows": Say(CHUNKS.replace(b"chunked", b"x"), "close"),
    "fewer bytes than announced": Say(http(b"", length=10), "close"),
    "a reset before the end": Say(http(b"", length=10), "reset"),
    "more bytes than announced": Say(http(ITEMS, length=0)),
    "an odd length": Say(http(b"", length=-1)),
    "two lengths": Say(http(b"", "200 OK", "Content-Length: 5")),
    "a length and chunks": Say(http(b"", "200 OK", "Transfer-Encoding: chunked")),
    "chunks without the last": Say(CHUNKS + b"1\r\n \r\n", "close"),
    "a chunk that is cut": Say(CHUNKS + b"5\r\nhe", "close"),
    "a chunk that is none": Say(CHUNKS + b"zz\r\n"),
    "no length, and items that are cut": Say(NO_LENGTH + ITEMS[:20], "close"),
    "no content": Say(http(b"", "204 No Content")),
    "accepted": Say(http(b"", "202 Accepted")),
    "a part": Say(http(b"", "206 Partial Content")),
}


@pytest.mark.parametrize("said", NO_PROOF.values(), ids=NO_PROOF)
async def test_what_is_no_whole_200_proves_nothing(line: Wire, port: Nakadi, said: Say) -> None:
    """What it stored is unknown: the events are sent again."""
    line.say(said)
    for _ in range(2):
        answer = await port.publish([b"{}"])
        assert isinstance(react(answer, [event(1, "k")], ALONE), Outage)
    line.say(Say(http(b"")))
    assert (await port.publish([b"{}"])).status == 200


@pytest.mark.parametrize(
    ("status", "said"),
    [("401 No", Unauthorised), ("413 No", Split), ("429 No", Outage), ("400 No", Outage)],
)
@pytest.mark.parametrize("coding", ["br", "gzip"])
async def test_a_status_that_needs_no_body_is_believed_without_one(
    line: Wire, port: Nakadi, status: str, said: type[object], coding: str
) -> None:
    line.say(Say(http(b"\xff", status, f"Content-Encoding: {coding}", "Retry-After: 7")))
    answer = await port.publish([b"{}", b"{}"])
    assert (answer.status, answer.retry_after) == (int(status[:3]), 7.0)
    assert "gzip" in answer.detail or "Content-Encoding" in answer.detail
    assert isinstance(react(answer, [event(1, "a"), event(2, "b")], ALONE), said)


EMPTY = {
    "in chunks": Say(CHUNKS + b"0\r\n\r\n"),
    "without a length": Say(NO_LENGTH, "close"),
    "white space": Say(http(b" \r\n")),
    "gzip of nothing": Say(http(gzip.compress(b""), "200 OK", GZIP)),
    "no bytes of gzip": Say(http(b"", "200 OK", GZIP)),
    "no bytes of deflate": Say(http(b"", "200 OK", "Content-Encoding: deflate")),
}


@pytest.mark.parametrize("said", EMPTY.values(), ids=EMPTY)
async def test_an_empty_200_is_empty_in_any_coding(line: Wire, port: Nakadi, said: Say) -> None:
    """Not to believe it would repeat the events for ever."""
    line.say(said)
    answer = await port.publish([b"{}"])
    assert (answer.status, answer.items) == (200, None)


async def test_an_answer_to_no_request_is_not_that_of_the_next(line: Wire, port: Nakadi) -> None:
    line.say(Say(http()), Say(http(b"", "503 Later")))
    assert (await port.publish([b"{}"])).status == 200
    line.interrupt(http())
    for _ in range(5):
        await asyncio.sleep(0)  # it has arrived: both ends are in this process
    stray = await port.publish([b"{}"])
    assert (stray.status, stray.reason) == (0, "reset")
    assert len(line.requests) == 1, "nothing was sent on that connection"
    assert (await port.publish([b"{}"])).status == 503
    assert (len(line.requests), line.connections) == (2, 2)


ITEM = b'[{"publishing_status":"submitted","step":"publishing"}]'
STATUSES = {"200 OK": b"", "207 Multi-Status": ITEM, "422 Unprocessable": ITEM, "503 Later": b""}


@pytest.mark.parametrize(("status", "body"), STATUSES.items(), ids=STATUSES)
async def test_the_answer_to_another_request_is_none(
    line: Wire, port: Nakadi, status: str, body: bytes
) -> None:
    """It is said again while the next request, which is not read, is under way."""

    def speak(request: Request) -> Say:
        first = line.requests[0].headers["x-flow-id"]
        again = len(line.requests) == 2
        flow_id = first if again else request.headers["x-flow-id"]
        return Say(http(body, status, f"X-Flow-Id: {flow_id}"))

    line.answer = speak
    assert (await port.publish([b"{}"])).status == int(status[:3])
    other = await port.publish([b"{}"])
    assert (other.status, other.reason, other.items) == (0, "reset", None)
    assert other.detail.startswith("AnswerToAnother: the answer is that to another request")
    assert other.flow_id == line.requests[1].headers["x-flow-id"]
    assert isinstance(react(other, [event(1, "k")], ALONE), Outage)
    assert (await port.publish([b"{}"])).status == int(status[:3])
    assert line.connections == 2


async def test_a_get_has_no_answer_of_another_request(line: Wire, port: Nakadi) -> None:
    def speak(_: Request) -> Say:
        return Say(http(b"[]", "200 OK", f"X-Flow-Id: {line.requests[0].headers['x-flow-id']}"))

    line.answer = speak
    await port.publish([b"{}"])
    with pytest.raises(Retryable, match="the answer is that to another request"):
        await port.partitions()


OTHERS: dict[str, Callable[[str], str]] = {
    "its own": lambda sent: f"gateway-{sent}",
    "one for all": lambda _: "gateway",
    "ours with more": lambda sent: f"{sent},gateway",
    "ours cut": lambda sent: sent[:20],
    "ours in lower case": str.lower,
    "empty": lambda _: "",
}


@pytest.mark.parametrize("form", OTHERS.values(), ids=OTHERS)
async def test_a_gateway_may_change_flow_ids(
    line: Wire, port: Nakadi, form: Callable[[str], str]
) -> None:
    def speak(request: Request) -> Say:
        said = form(request.headers["x-flow-id"])
        return Say(http(b"", "200 OK", f"X-Flow-Id: {said}"))

    line.answer = speak
    for _ in range(5):
        assert (await port.publish([b"{}"])).status == 200
    assert line.connections == 1


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(megabytes)) + packer.flush()


async def test_a_gzip_bomb_is_not_unpacked(line: Wire, port: Nakadi) -> None:
    line.say(Say(http(bomb(200), "200 OK", "Content-Encoding: gzip")))
    tracemalloc.start()
    try:
        for call in (port.event_type, port.partitions):
            with pytest.raises(Retryable, match="longer than") as failure:
                await call()
            assert failure.value.reason == "unreadable"
        answer = await port.publish([b"{}"])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status, answer.reason) == (0, "unreadable")
    assert most < 60_000_000


async def test_an_answer_in_gzip_is_read(line: Wire, port: Nakadi) -> None:
    definition = b'{"category":"data"}'
    line.say(Say(http(gzip.compress(definition), "200 OK", "Content-Encoding: GZIP")))
    _, body, _ = await port.event_type()
    assert body == definition


async def test_an_answer_as_long_as_the_limit_is_read(
    line: Wire, port: Nakadi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nakadi_module, "MAX_DEFINITION_BYTES", 100)
    for coding in ([], ["Content-Encoding: gzip"]):
        for size in (100, 101):
            body = gzip.compress(b" " * size) if coding else b" " * size
            line.say(Say(http(body, "200 OK", *coding)))
            if size > 100:
                with pytest.raises(Retryable, match="longer than 100 bytes"):
                    await port.event_type()
            else:
                assert (await port.event_type())[1] == b" " * size
