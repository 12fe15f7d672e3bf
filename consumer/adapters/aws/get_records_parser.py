"""A parser in place of botocore's that refuses incomplete answers, and is faster for GetRecords.

botocore's parser takes a body that was cut off for an empty answer: GetRecords without records and
without an iterator, which is also the last answer of a closed shard; a Query without items. So
every successful JSON answer is checked first: its length, its `x-amz-crc32` (of the bytes as sent,
compressed or not), and that it is one whole JSON object. Then `decode_page` reads a GetRecords page
from its bytes, and botocore parses everything else. aiobotocore does not decompress, so gzip is
decompressed here.

botocore expects the documented form, and fails in many ways where an answer has another one. A
success of that kind is a failed call. Of an error, its HTTP status is kept.

Installed with `session.register_component("response_parser_factory", CheckedParserFactory())`. The
factory is given only the protocol, so a page is recognized by its output shape.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson
from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory

from consumer.adapters.limited_body import BodyUnreadable, gunzip_at_most
from consumer.adapters.odd_answer import ODD, unreadable
from consumer.core.stream.page import PageIncomplete, decode_page

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Longest answer, as sent and decompressed.

GetRecords and Query end a page at 1 MB of items. JSON is longer: `{"BOOL":false}` stands for two
bytes of an item, which makes 7.5 MB, and a byte of text takes six at most.
"""

_CODES = ("Code", "QueryErrorCode")
_GZIP_MAGIC = b"\x1f\x8b"


class AnswerIncomplete(Exception):
    """The body of a successful answer is cut off or damaged, so the call counts as failed."""


class AnswerUnreadable(Exception):
    """A successful answer is whole, but has another form than the documented one."""


class CheckedJSONParser(AioJSONParser):  # type: ignore[misc]
    """Parser of the protocol `json`.

    A page is returned as `{"Page": Page, "Encoding": "gzip" | "identity", "WireBytes": int}`.
    """

    async def parse(self, response: dict[str, Any], shape: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's shape
        """Parse an answer.

        Raise AnswerIncomplete if a successful one is not complete, AnswerUnreadable if it has
        another form than the documented one.
        """
        headers, sent, status = response["headers"], response["body"], response["status_code"]
        if status >= 300:
            # The checksum of an error is not checked: a large one may have a gzip header and be
            # plain.
            return await self._refusal(response, shape, _error_body(sent))
        body = whole_body(headers, sent)
        try:
            if shape is None or shape.name != "GetRecordsOutput":
                _check_object(body)
                return await self._as_botocore(response, shape, body)
            page = decode_page(body)
        except PageIncomplete as error:
            raise AnswerIncomplete(str(error)) from error
        except ODD as error:
            raise AnswerUnreadable(unreadable(error)) from error
        return {
            "Page": page,
            "Encoding": "identity" if body is sent else "gzip",
            "WireBytes": len(sent),
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
        }

    async def _refusal(
        self,
        response: dict[str, Any],
        shape: Any,  # noqa: ANN401 - botocore's shape
        body: bytes,
    ) -> dict[str, Any]:
        """Parse an error; one that cannot be read has its HTTP status for its code."""
        try:
            parsed = await self._as_botocore(response, shape, body)
            codes = [parsed.get("Error", {}).get(name, "") for name in _CODES]
            if all(isinstance(code, str) for code in codes):
                return parsed
        except ODD:
            pass
        return await self._as_botocore({**response, "headers": {}}, shape, b"{}")

    async def _as_botocore(
        self,
        response: dict[str, Any],
        shape: Any,  # noqa: ANN401 - botocore's shape
        body: bytes,
    ) -> dict[str, Any]:
        parsed: dict[str, Any] = await super().parse({**response, "body": body}, shape)
        return parsed


class CheckedParserFactory(AioResponseParserFactory):  # type: ignore[misc]
    """Factory of the parser above for the protocol `json`, and of botocore's for the others."""

    def __init__(self) -> None:
        super().__init__()
        self._json = CheckedJSONParser()

    def create_parser(self, protocol_name: str) -> Any:  # noqa: ANN401 - botocore's parser
        """Return the parser of a protocol."""
        return self._json if protocol_name == "json" else super().create_parser(protocol_name)


def whole_body(headers: Mapping[str, str], sent: bytes) -> bytes:
    """Return the body, decompressed. Raise AnswerIncomplete if length, crc or gzip are wrong."""
    length = headers.get("content-length")
    if length is not None and length != str(len(sent)):
        raise AnswerIncomplete(f"{len(sent)} bytes of {length}")
    crc = headers.get("x-amz-crc32")
    if crc is not None and crc != str(zlib.crc32(sent)):
        raise AnswerIncomplete("x-amz-crc32 does not match")
    if headers.get("content-encoding") != "gzip":
        return sent
    return _gunzip(sent)


def _gunzip(sent: bytes) -> bytes:
    try:
        return gunzip_at_most(MAX_BODY_BYTES, sent)[0]
    except BodyUnreadable as error:
        raise AnswerIncomplete(str(error)) from error


def _error_body(sent: bytes) -> bytes:
    if not sent.startswith(_GZIP_MAGIC):
        return sent
    try:
        return _gunzip(sent)
    except AnswerIncomplete:
        return b""


def _check_object(body: bytes) -> None:
    try:
        whole = isinstance(orjson.loads(body), dict)
    except orjson.JSONDecodeError:
        whole = False
    if not whole:
        raise AnswerIncomplete(f"not a JSON object, {len(body)} bytes")
