"""Publishing items again: what the table holds now, read and sent by the service's own sender."""
