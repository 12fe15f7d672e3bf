"""A local Nakadi for development: refuses what Nakadi refuses, forgets everything when it ends."""
