"""From a stream record to the bytes of a Nakadi data change event."""
