"""The manifests of an export: which files it has, and of what.

The folder of the data files is shared with other exports, so only files that a manifest names are
read.
"""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import DecodeError, Struct, json

from consumer.core.repair.exported_change import OddExport
from consumer.core.repair.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Form = TypeVar("Form", bound=Struct)

MD5_BYTES: Final = 16


class _Summary(Struct, rename="camel"):
    export_arn: str
    table_arn: str
    manifest_files_s3_key: str = ""
    item_count: int = 0
    output_format: str = ""
    output_view: str = ""
    export_type: str = ""
    export_from_time: str = ""
    export_to_time: str = ""


class _File(Struct, rename="camel"):
    md5_checksum: str
    data_file_s3_key: str = ""
    item_count: int = 0


class Summary(Struct, frozen=True):
    """What `manifest-summary.json` says of a complete export: its window, files and lines."""

    export_arn: str
    window: Window
    files_key: str
    lines: int


class DataFile(Struct, frozen=True):
    """One file of the export: its key in the bucket, the MD5 of its bytes, and its lines."""

    key: str
    md5: bytes
    lines: int


def read_summary(body: bytes, export_arn: str, table_arn: str) -> Summary:
    """Return what the summary says. Raise OddExport if it is not of such an export.

    Wanted are the changes of this table, with both images, in DynamoDB's JSON.
    """
    found = _decoded(body, _Summary, "manifest-summary.json")
    wanted = (
        ("exportArn", found.export_arn, export_arn),
        ("tableArn", found.table_arn, table_arn),
        ("exportType", found.export_type, "INCREMENTAL_EXPORT"),
        ("outputView", found.output_view, "NEW_AND_OLD_IMAGES"),
        ("outputFormat", found.output_format, "DYNAMODB_JSON"),
    )
    for name, value, needed in wanted:
        if value != needed:
            raise OddExport(f"manifest-summary.json: {name} is {value!r}, wanted {needed!r}")
    if not found.manifest_files_s3_key:
        raise OddExport("manifest-summary.json: no manifestFilesS3Key")
    window = Window(_seconds(found.export_from_time), _seconds(found.export_to_time))
    return Summary(found.export_arn, window, found.manifest_files_s3_key, found.item_count)


def read_files(lines: Iterable[bytes]) -> Iterator[DataFile]:
    """Yield the data files that the lines of `manifest-files.json` name. Raise OddExport."""
    for line in lines:
        if not line.strip():
            continue
        found = _decoded(line, _File, "manifest-files.json")
        try:
            md5 = b64decode(found.md5_checksum, validate=True)
        except ValueError:
            md5 = b""
        if len(md5) != MD5_BYTES:
            raise OddExport("manifest-files.json: md5Checksum is no MD5 in base64")
        if not found.data_file_s3_key:
            raise OddExport("manifest-files.json: a line without dataFileS3Key")
        yield DataFile(found.data_file_s3_key, md5, found.item_count)


def _decoded(body: bytes, form: type[Form], name: str) -> Form:
    try:
        return json.decode(body, type=form)
    except (DecodeError, RecursionError) as error:
        raise OddExport(f"{name}: {error}") from None


def _seconds(time: str) -> int:
    try:
        return ceil(datetime.fromisoformat(time).timestamp())
    except ValueError:
        raise OddExport(f"manifest-summary.json: {time!r} is no time") from None
