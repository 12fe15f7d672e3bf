"""Bringing back what the stream has lost: the keys that changed, from exports of the table."""
