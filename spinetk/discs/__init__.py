"""Disc labelling in MR: stacked hourglass with attention, searches over candidates, look-once, honest metrics."""
