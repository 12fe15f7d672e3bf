"""The only place that knows AWS, Nakadi and HTTP."""
