"""JSON Schema as the real server reads it: which schemas it takes, and which events pass them."""
