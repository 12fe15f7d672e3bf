"""What a laptop needs: stand-ins for the services, the workload, the demo. Not in the image."""
