"""The settings: fields, types, rules and sources."""
