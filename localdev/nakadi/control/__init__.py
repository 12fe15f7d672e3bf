"""What the real server does not have: faults, the log of requests, the page and its endpoints."""
