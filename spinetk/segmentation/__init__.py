"""Segmentation: the left atrium in volumes, small lesions in slices, skin and cells in pictures."""
