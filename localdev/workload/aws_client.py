"""Clients of AWS that are configured only by the environment that they are given."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

_VARIABLES = {
    "dynamodb": "AWS_ENDPOINT_URL_DYNAMODB",
    "dynamodbstreams": "AWS_ENDPOINT_URL_DYNAMODB_STREAMS",
    "sqs": "AWS_ENDPOINT_URL_SQS",
    "s3": "AWS_ENDPOINT_URL_S3",
}
_CONFIG = Config(connect_timeout=2, read_timeout=10)


def aws_client(service: str, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - made by botocore
    """Return a client of `dynamodb`, `dynamodbstreams`, `sqs` or `s3`.

    Region and credentials must be in `environ`, and so must an endpoint: this is never the real
    AWS. KeyError names what is missing.
    """
    return boto3.client(
        service,
        endpoint_url=environ.get(_VARIABLES[service]) or environ["AWS_ENDPOINT_URL"],
        region_name=environ["AWS_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        config=_CONFIG,
    )
