"""A stand-in for Lambda's event source mapping of a DynamoDB stream, and for its functions."""
