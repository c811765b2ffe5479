"""File formats of annotations and results: what other programs write and read."""
