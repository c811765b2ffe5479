"""Case folders: what the networks learn from, how it is made from other layouts, multiplied, split and registered."""
