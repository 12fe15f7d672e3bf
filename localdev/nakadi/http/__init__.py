"""HTTP as the real server speaks it: bodies, codings, media types, problems, tokens."""
