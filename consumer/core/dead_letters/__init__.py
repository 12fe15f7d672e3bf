"""Dead letters: what they hold, and what becomes of them in a redrive."""
