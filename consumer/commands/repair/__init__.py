"""The command `consumer repair`."""
