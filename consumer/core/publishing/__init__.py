"""What may be sent to Nakadi, and what its answers mean."""
