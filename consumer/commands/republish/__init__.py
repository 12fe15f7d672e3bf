"""Commands that publish again what the table holds."""
