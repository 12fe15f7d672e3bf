"""Lambda's pattern language: reading patterns, and testing single values."""
