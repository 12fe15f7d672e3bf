"""Control commands, which AWS does not have: they split, trim and fill, and show every record."""
