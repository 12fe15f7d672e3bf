"""Filters: patterns that are asked of stream records."""
