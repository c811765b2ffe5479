"""Vertebral landmarks: Keypoint R-CNN from training to a reading of one picture."""
