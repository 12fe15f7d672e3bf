"""Exports of the table: DynamoDB's calls, the files in S3, rows of what was asked for."""
