"""Dead letters: their form, and the decisions of a redrive about them."""
