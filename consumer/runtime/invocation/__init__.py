"""Publishing the records of one invocation of Lambda."""
