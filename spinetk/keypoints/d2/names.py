"""Names: the tensors of Detectron2's Keypoint R-CNN R50-FPN and of ours, and the three layers stored differently.

Detectron2 takes BGR pictures minus ``PIXEL_MEAN`` = 255 x the ImageNet mean, undivided; ours takes RGB / 255 minus that
mean, divided by the ImageNet deviation. Both are zero where a picture is padded, so the difference is a factor per
input channel of the first convolution, exact at the edges too. Detectron2 puts the background last among the classes
and has no boxes for it; torchvision puts it first and has some, never used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial

import torch
from torch import Tensor

from spinetk.keypoints.d2.checkpoint import Weights
from spinetk.keypoints.network import IMAGENET_SD

STEM = "rcnn.backbone.body.conv1.weight"
CLASSES = "rcnn.roi_heads.box_predictor.cls_score"
BOXES = "rcnn.roi_heads.box_predictor.bbox_pred"

# Ours to theirs; the first that fits the whole name counts. A number may be shifted: {2:+1} is the second group plus 1.
_RULES = [
    (r"rcnn\.backbone\.body\.conv1\.(\w+)", "backbone.bottom_up.stem.conv1.{1}"),
    (r"rcnn\.backbone\.body\.bn1\.(\w+)", "backbone.bottom_up.stem.conv1.norm.{1}"),
    (r"rcnn\.backbone\.body\.layer(\d)\.(\d)\.conv(\d)\.(\w+)", "backbone.bottom_up.res{1:+1}.{2}.conv{3}.{4}"),
    (r"rcnn\.backbone\.body\.layer(\d)\.(\d)\.bn(\d)\.(\w+)", "backbone.bottom_up.res{1:+1}.{2}.conv{3}.norm.{4}"),
    (r"rcnn\.backbone\.body\.layer(\d)\.0\.downsample\.0\.(\w+)", "backbone.bottom_up.res{1:+1}.0.shortcut.{2}"),
    (r"rcnn\.backbone\.body\.layer(\d)\.0\.downsample\.1\.(\w+)", "backbone.bottom_up.res{1:+1}.0.shortcut.norm.{2}"),
    (r"rcnn\.backbone\.fpn\.inner_blocks\.(\d)\.0\.(\w+)", "backbone.fpn_lateral{1:+2}.{2}"),
    (r"rcnn\.backbone\.fpn\.layer_blocks\.(\d)\.0\.(\w+)", "backbone.fpn_output{1:+2}.{2}"),
    (r"rcnn\.rpn\.head\.conv\.0\.0\.(\w+)", "proposal_generator.rpn_head.conv.{1}"),
    (r"rcnn\.rpn\.head\.cls_logits\.(\w+)", "proposal_generator.rpn_head.objectness_logits.{1}"),
    (r"rcnn\.rpn\.head\.bbox_pred\.(\w+)", "proposal_generator.rpn_head.anchor_deltas.{1}"),
    (r"rcnn\.roi_heads\.box_head\.fc(\d)\.(\w+)", "roi_heads.box_head.fc{1:-5}.{2}"),
    (r"rcnn\.roi_heads\.box_predictor\.(\w+)\.(\w+)", "roi_heads.box_predictor.{1}.{2}"),
    (r"rcnn\.roi_heads\.keypoint_predictor\.kps_score_lowres\.(\w+)", "roi_heads.keypoint_head.score_lowres.{1}"),
]
_POINT_LAYER = re.compile(r"rcnn\.roi_heads\.keypoint_head\.(\d+)\.(\w+)")  # every second one is a ReLU


def their_name(ours: str) -> str | None:
    """Detectron2's name of a tensor of ours; None for the counters of batch norms, which it has not."""
    if ours.endswith("num_batches_tracked"):
        return None
    layer = _POINT_LAYER.fullmatch(ours)
    if layer:
        return f"roi_heads.keypoint_head.conv_fcn{int(layer[1]) // 2 + 1}.{layer[2]}"
    for pattern, name in _RULES:
        found = re.fullmatch(pattern, ours)
        if found:
            return re.sub(r"\{(\d)(?::([+-]\d))?\}", partial(_fill, found), name)
    raise KeyError(ours)


def _fill(found: re.Match[str], hole: re.Match[str]) -> str:
    text, shift = found[int(hole[1])], hole[2]
    return str(int(text) + int(shift)) if shift else text


def to_ours(theirs: Mapping[str, Tensor], names: Iterable[str]) -> Weights:
    """Weights of Detectron2 under our names.

    Args:
        theirs: Detectron2's tensors by name.
        names: Our names, of which the batch norms' counters are set to zero.

    Raises:
        KeyError: A tensor is missing; the key is Detectron2's name.
    """
    weights: Weights = {}
    for name in names:
        other = their_name(name)
        weights[name] = torch.tensor(0) if other is None else theirs[other].float()
    weights[STEM] = weights[STEM].flip(1) * _stem_scale()
    weights |= {f"{CLASSES}.{kind}": weights[f"{CLASSES}.{kind}"].flip(0) for kind in ("weight", "bias")}
    for kind in ("weight", "bias"):
        boxes = weights[f"{BOXES}.{kind}"]
        weights[f"{BOXES}.{kind}"] = torch.cat([torch.zeros_like(boxes), boxes])
    return weights


def to_theirs(ours: Mapping[str, Tensor]) -> Weights:
    """Inverse of :func:`to_ours`."""
    weights = {name: tensor.detach().cpu().float() for name, tensor in ours.items()}
    weights[STEM] = (weights[STEM] / _stem_scale()).flip(1)
    for kind in ("weight", "bias"):
        weights[f"{CLASSES}.{kind}"] = weights[f"{CLASSES}.{kind}"].flip(0)
        boxes = weights[f"{BOXES}.{kind}"]
        weights[f"{BOXES}.{kind}"] = boxes[len(boxes) // 2 :]
    renamed = {their_name(name): tensor.contiguous() for name, tensor in weights.items()}
    return {name: tensor for name, tensor in renamed.items() if name is not None}


def _stem_scale() -> Tensor:
    return 255 * torch.tensor(IMAGENET_SD).view(1, 3, 1, 1)
