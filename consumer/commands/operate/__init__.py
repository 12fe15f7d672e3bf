"""Commands about leases: leases, gaps, seek, pause, resume."""
