"""The records that were read and are not settled yet: tickets, queue, watermark, budget."""
