"""The relay from DynamoDB Streams to Nakadi."""

__version__ = "0.1.0"
