"""The demo: `python -m localdev.demo`."""
