"""Data sets of slices and pictures: one module a layout, each to the same cases."""
