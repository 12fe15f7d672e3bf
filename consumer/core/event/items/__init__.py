"""Items as plain JSON: by their shapes, by their gaps."""
