"""The settings: fields, types, rules, where they come from."""
