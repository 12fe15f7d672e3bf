"""Items as plain JSON, and the patch from one to the next."""
