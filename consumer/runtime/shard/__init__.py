"""The life of one shard in this process: take, read, settle, release."""
