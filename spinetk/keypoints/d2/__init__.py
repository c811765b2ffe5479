"""Detectron2: its Keypoint R-CNN as an optional engine, and its checkpoints to and from ours. Never required."""
