"""Exports of a table as DynamoDB documents them, made by hand: no emulator writes their files."""

from __future__ import annotations

import gzip
import json
import time
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import md5
from typing import TYPE_CHECKING, Any

from localdev.workload.aws_client import aws_client

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = Any


def change(
    key: Json, at: float, *, old: Json | None = None, new: Json | None = None
) -> dict[str, Json]:
    """A line of a data file: the net change of a key."""
    line: dict[str, Json] = {
        "Metadata": {"WriteTimestampMicros": {"N": str(int(at * 1e6))}},
        "Keys": key,
    }
    return line | {
        name: image for name, image in (("OldImage", old), ("NewImage", new)) if image is not None
    }


def data_file(lines: Sequence[Json]) -> bytes:
    return gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


class Exported:
    """A bucket, and exports of a table in it."""

    def __init__(self, environ: Mapping[str, str], table: str, prefix: str | None = None) -> None:
        self.s3 = aws_client("s3", environ)
        self.dynamodb = aws_client("dynamodb", environ)
        self.table, self.prefix, self.bucket = table, prefix, f"exports-{table}"
        self.arn = self.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
        self.s3.create_bucket(
            Bucket=self.bucket,
            CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        )

    def begin(self, begin: float, end: float) -> str:
        """Begin an export and wait until it is complete; return its ARN. It has no files yet."""
        asked = self.dynamodb.export_table_to_point_in_time(
            TableArn=self.arn,
            S3Bucket=self.bucket,
            ExportFormat="DYNAMODB_JSON",
            ExportType="INCREMENTAL_EXPORT",
            IncrementalExportSpecification={
                "ExportFromTime": int(begin),
                "ExportToTime": int(end),
                "ExportViewType": "NEW_AND_OLD_IMAGES",
            },
            **({} if self.prefix is None else {"S3Prefix": self.prefix}),
        )["ExportDescription"]
        arn = str(asked["ExportArn"])
        while self.described(arn)["ExportStatus"] != "COMPLETED":
            time.sleep(0.1)
        return arn

    def described(self, arn: str) -> Json:
        return self.dynamodb.describe_export(ExportArn=arn)["ExportDescription"]

    def write(
        self,
        arn: str,
        begin: float,
        end: float,
        files: Sequence[bytes],
        *,
        checksums: Sequence[bytes] | None = None,
        **summary: Json,
    ) -> None:
        """Write the files of an export: data in gzip, and both manifests.

        `checksums` are of other bytes than the files have; `summary` replaces what the summary
        says.
        """
        export_id = arn.rpartition("/")[2]
        lines = []
        for number, body in enumerate(files):
            key = self._key(f"AWSDynamoDB/data/{export_id[-8:]}{number:020d}.json.gz")
            self.put(key, body)
            digest = md5(
                body if checksums is None else checksums[number], usedforsecurity=False
            ).digest()
            lines.append(
                {
                    "itemCount": 1,
                    "md5Checksum": b64encode(digest).decode(),
                    "etag": f"{digest.hex()}-1",
                    "dataFileS3Key": key,
                }
            )
        self.put(self._key("AWSDynamoDB/data/of-another-export.json.gz"), b"not to be read")
        listed = self._key(f"AWSDynamoDB/{export_id}/manifest-files.json")
        self.put(listed, b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        told = {
            "version": "2023-08-01",
            "exportArn": arn,
            "startTime": iso(end),
            "endTime": iso(end),
            "tableArn": self.arn,
            "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
            "exportFromTime": iso(begin),
            "exportToTime": iso(end),
            "s3Bucket": self.bucket,
            "s3Prefix": self.prefix,
            "s3SseAlgorithm": "AES256",
            "s3SseKmsKeyId": None,
            "manifestFilesS3Key": listed,
            "billedSizeBytes": 0,
            "itemCount": len(files),
            "outputFormat": "DYNAMODB_JSON",
            "outputView": "NEW_AND_OLD_IMAGES",
            "exportType": "INCREMENTAL_EXPORT",
        }
        summary_key = self._key(f"AWSDynamoDB/{export_id}/manifest-summary.json")
        self.put(summary_key, json.dumps(told | summary).encode())

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def close(self) -> None:
        self.s3.close()
        self.dynamodb.close()

    def _key(self, key: str) -> str:
        return key if self.prefix is None else f"{self.prefix}/{key}"


def iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", ".000Z")
