"""What botocore makes of an answer, made safe, and for GetRecords made fast.

botocore's parser takes a cut-off body for an empty answer: GetRecords without records and without
an iterator, which is what a closed shard looks like; a Query without items. So every successful
JSON answer is checked first: its length, its `x-amz-crc32` (over the bytes as sent, compressed or
not) and that it is one whole JSON object. A GetRecords page then goes to `decode_page` as bytes,
everything else to botocore. aiobotocore does not decompress: gzip is undone here.

Installed with `session.register_component("response_parser_factory", CheckedParserFactory())`. The
factory is told only the protocol, so a page is known by its output shape.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson
from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory

from consumer.core.stream.page import PageIncomplete, decode_page

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Most bytes that an answer may decompress to. Pages reach 1 MiB, Query answers likewise."""

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = zlib.MAX_WBITS | 16


class AnswerIncomplete(Exception):
    """The body of a successful answer is cut off or damaged: the call has failed."""


class CheckedJSONParser(AioJSONParser):  # type: ignore[misc]
    """Parser of protocol `json`.

    A page is returned as `{"Page": Page, "Encoding": "gzip" | "identity", "WireBytes": int}`.
    """

    async def parse(self, response: dict[str, Any], shape: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's shape
        """Parse an answer. Raises AnswerIncomplete for a successful one that is not whole."""
        headers, sent, status = response["headers"], response["body"], response["status_code"]
        if status >= 300:
            # The crc of an error is not checked: a large one may carry a gzip header while plain.
            return await self._as_botocore(response, shape, _error_body(sent))
        body = whole_body(headers, sent)
        if shape is None or shape.name != "GetRecordsOutput":
            _check_object(body)
            return await self._as_botocore(response, shape, body)
        try:
            page = decode_page(body)
        except PageIncomplete as error:
            raise AnswerIncomplete(str(error)) from error
        return {
            "Page": page,
            "Encoding": "identity" if body is sent else "gzip",
            "WireBytes": len(sent),
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
        }

    async def _as_botocore(
        self,
        response: dict[str, Any],
        shape: Any,  # noqa: ANN401 - botocore's shape
        body: bytes,
    ) -> dict[str, Any]:
        parsed: dict[str, Any] = await super().parse({**response, "body": body}, shape)
        return parsed


class CheckedParserFactory(AioResponseParserFactory):  # type: ignore[misc]
    """Hands out the parser above for protocol `json` and botocore's own for every other."""

    def __init__(self) -> None:
        super().__init__()
        self._json = CheckedJSONParser()

    def create_parser(self, protocol_name: str) -> Any:  # noqa: ANN401 - botocore's parser
        """The parser of a protocol."""
        return self._json if protocol_name == "json" else super().create_parser(protocol_name)


def whole_body(headers: Mapping[str, str], sent: bytes) -> bytes:
    """The body, decompressed. Raises AnswerIncomplete if length, crc or gzip stream are wrong."""
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
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        body = stream.decompress(sent, MAX_BODY_BYTES)
    except zlib.error as error:
        raise AnswerIncomplete(f"gzip: {error}") from error
    if not stream.eof:
        raise AnswerIncomplete("gzip: cut off or too large")
    return body


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
