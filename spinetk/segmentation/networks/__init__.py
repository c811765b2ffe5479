"""Segmentation networks, one a file; :mod:`spinetk.segmentation.registry` gives them by name."""
