"""The lease table in DynamoDB: rows, requests, conditions, set-up."""
