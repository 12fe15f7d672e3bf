"""The relay from DynamoDB Streams to Nakadi."""

__version__ = "0.2.0-dev"
"""Of package, image and chart. Between releases it is that of the next one, with -dev."""
