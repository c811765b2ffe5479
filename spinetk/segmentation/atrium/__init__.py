"""The left atrium in volumes: locator and segmenter."""
