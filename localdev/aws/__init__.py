"""AWS on a developer's machine: ministack embedded, DynamoDB Local where Java is present."""
