"""The main job, shown: `python -m localdev.demo`."""
