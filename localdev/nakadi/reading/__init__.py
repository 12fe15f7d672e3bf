"""Reading back: cursors, and streams of the events behind them."""
