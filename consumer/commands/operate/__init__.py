"""Commands about leases: look at them, seek, pause, resume."""
