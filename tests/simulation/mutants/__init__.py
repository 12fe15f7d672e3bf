"""Planted faults: each is a small patch of the real code, applied at run time."""
