"""Additions to the real server: faults, the log of requests, the page and its endpoints."""
