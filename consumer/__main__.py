"""`python -m consumer` is `consumer`."""

from consumer.cli import main

main()
