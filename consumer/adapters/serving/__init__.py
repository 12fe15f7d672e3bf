"""Serving over HTTP what a worker says of itself: probes, metrics, status and its page."""
