"""The manifests of an export."""

import json
from typing import Any

import pytest

from consumer.core.repair.exported_change import OddExport
from consumer.core.repair.manifest import DataFile, Summary, read_files, read_summary
from consumer.core.repair.window import Window

TABLE = "arn:aws:dynamodb:eu-central-1:1:table/orders"
EXPORT = f"{TABLE}/export/01695097218000-d6299cbd"
SUMMARY = {
    "version": "2023-08-01",
    "exportArn": EXPORT,
    "startTime": "2026-11-01T10:00:00.000Z",
    "endTime": "2026-11-01T10:05:00.000Z",
    "tableArn": TABLE,
    "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
    "exportFromTime": "2026-11-01T08:00:00.000Z",
    "exportToTime": "2026-11-01T09:00:00.000Z",
    "s3Bucket": "backups",
    "s3Prefix": None,
    "s3SseAlgorithm": "AES256",
    "s3SseKmsKeyId": None,
    "manifestFilesS3Key": "AWSDynamoDB/01695097218000-d6299cbd/manifest-files.json",
    "billedSizeBytes": 20901239349,
    "itemCount": 8,
    "outputFormat": "DYNAMODB_JSON",
    "outputView": "NEW_AND_OLD_IMAGES",
    "exportType": "INCREMENTAL_EXPORT",
}
FILE = {
    "itemCount": 8,
    "md5Checksum": "sQMSpEILNgoQmarvDFonGQ==",
    "etag": "af83d6f217c19b8b0fff8023d8ca4716-1",
    "dataFileS3Key": "AWSDynamoDB/data/sgavzkqi5q2cbzuv6r5tnkmgv4.json.gz",
}


def body(changes: dict[str, Any], of: dict[str, Any]) -> bytes:
    return json.dumps({k: v for k, v in (of | changes).items() if v != "-"}).encode()


def test_a_summary() -> None:
    assert read_summary(body({}, SUMMARY), EXPORT, TABLE) == Summary(
        EXPORT,
        Window(1793520000, 1793523600),
        "AWSDynamoDB/01695097218000-d6299cbd/manifest-files.json",
        8,
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"exportType": "FULL_EXPORT"}, "exportType is 'FULL_EXPORT', wanted 'INCREMENTAL_EXPORT'"),
        ({"outputView": "NEW_IMAGE"}, "outputView"),
        ({"outputFormat": "ION"}, "outputFormat"),
        ({"tableArn": f"{TABLE}2"}, "tableArn"),
        ({"exportArn": f"{EXPORT}2"}, "exportArn"),
        ({"exportFromTime": "soon"}, "'soon' is no time"),
        ({"manifestFilesS3Key": "-"}, "no manifestFilesS3Key"),
        ({"itemCount": "many"}, "itemCount"),
        ({"exportArn": "-"}, "exportArn"),
    ],
)
def test_a_summary_of_something_else_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(OddExport, match=told):
        read_summary(body(changes, SUMMARY), EXPORT, TABLE)


def test_no_json_is_no_summary() -> None:
    with pytest.raises(OddExport, match=r"manifest-summary\.json"):
        read_summary(b"<Error>", EXPORT, TABLE)


def test_the_files_of_an_export() -> None:
    lines = [body({}, FILE), b"  ", body({"itemCount": 0, "dataFileS3Key": "other"}, FILE)]
    md5 = bytes.fromhex("b10312a4420b360a1099aaef0c5a2719")
    assert list(read_files(lines)) == [
        DataFile("AWSDynamoDB/data/sgavzkqi5q2cbzuv6r5tnkmgv4.json.gz", md5, 8),
        DataFile("other", md5, 0),
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"md5Checksum": "?"}, "no MD5"),
        ({"md5Checksum": "sQMSpEILNgoQmarvDFonGQ=="[:-4]}, "no MD5"),
        ({"md5Checksum": "-"}, "md5Checksum"),
        ({"dataFileS3Key": "-"}, "without dataFileS3Key"),
    ],
)
def test_a_file_that_is_not_named_whole_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(OddExport, match=told):
        list(read_files([body(changes, FILE)]))
