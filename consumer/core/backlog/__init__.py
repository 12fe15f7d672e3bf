"""What was read and is not settled yet: tickets, queue, watermark, budget."""
