"""What a release consists of, made so that others get the same bytes (`make dist`)."""
