"""An invocation of Lambda: its records, its time, its answer, and what is remembered of it."""
