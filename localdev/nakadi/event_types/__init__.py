"""Event types: their definitions and schemas, their rules, their partitions and logs."""
