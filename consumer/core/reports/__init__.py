"""What is shown to people: status, leases, gaps, previews, counts."""
