"""Publishing: batches of events are judged, placed and stored."""
