"""Keypoint R-CNN for vertebrae, on torchvision.

He et al., Mask R-CNN, ICCV 2017, keypoint branch, with a feature pyramid (Lin et al. 2017). Torchvision's parts are
used as they are; its person-specific constants (17 points, their flip and sigmas) are replaced by the schema's.
Deviations: pictures arrive already resized (area averaging instead of torchvision's aliasing bilinear), grey pictures
are repeated to three channels, heatmaps are decoded as in :mod:`spinetk.keypoints.heatmap`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import resnet18, resnet50
from torchvision.models.detection import KeypointRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads, KeypointRCNNPredictor
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import MultiScaleRoIAlign

from spinetk.keypoints.heatmap import decode_tensors
from spinetk.keypoints.preset import Preset
from spinetk.schema import KeypointSchema

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_SD = (0.229, 0.224, 0.225)


def _pyramid(preset: Preset) -> BackboneWithFPN:
    if preset.body == "resnet50":
        body, widths = resnet50(), [256, 512, 1024, 2048]
    else:
        body, widths = resnet18(), [64, 128, 256]
    names = {f"layer{i + 1}": str(i) for i in range(len(widths))}
    return BackboneWithFPN(body, names, widths, preset.channels)


class VertebraRCNN(nn.Module):
    """A detector of vertebral bodies with the K landmarks of a schema.

    Args:
        preset: Sizes.
        schema: Gives the number of heatmaps; its names, swap and sigmas serve data and evaluation.
        frozen_norm: Keep batch-norm statistics and scales as loaded (fine-tuning from ImageNet or COCO weights).
    """

    def __init__(self, preset: Preset, schema: KeypointSchema, frozen_norm: bool = False) -> None:
        super().__init__()
        self.preset = preset
        self.schema = schema
        self.frozen_norm = frozen_norm
        pyramid = _pyramid(preset)
        levels = [str(i) for i in range(len(preset.anchors_px) - 1)]
        sizes = tuple((side,) for side in preset.anchors_px)
        kept_train, kept_test = preset.proposals
        self.rcnn = KeypointRCNN(
            pyramid,
            num_classes=None,
            rpn_anchor_generator=AnchorGenerator(sizes, (preset.ratios,) * len(sizes)),
            rpn_pre_nms_top_n_train=min(2000, 2 * kept_train),
            rpn_pre_nms_top_n_test=min(1000, 2 * kept_test),
            rpn_post_nms_top_n_train=kept_train,
            rpn_post_nms_top_n_test=kept_test,
            box_roi_pool=MultiScaleRoIAlign(levels, output_size=7, sampling_ratio=2),
            box_head=TwoMLPHead(preset.channels * 49, preset.box_units),
            box_predictor=FastRCNNPredictor(preset.box_units, num_classes=2),
            box_batch_size_per_image=preset.box_samples,
            box_detections_per_img=preset.detections,
            keypoint_roi_pool=MultiScaleRoIAlign(levels, output_size=14, sampling_ratio=2),
            keypoint_head=KeypointRCNNHeads(preset.channels, preset.point_layers),
            keypoint_predictor=KeypointRCNNPredictor(preset.point_layers[-1], len(schema)),
        )
        # Proposals take the precision of the head's output, and bfloat16 has steps of 4 px at 640: boxes would be
        # rounded, and thin ones (cut by the picture's edge) to no height, whose logarithm is not finite.
        self.rcnn.rpn.head.register_forward_hook(_in_float32)
        self.rcnn.transform = GeneralizedRCNNTransform(
            preset.short_px, preset.long_px, IMAGENET_MEAN, IMAGENET_SD, _skip_resize=True
        )

    def train(self, mode: bool = True) -> VertebraRCNN:
        """As ``nn.Module.train``; batch norms stay in evaluation mode when frozen."""
        super().train(mode)
        if self.frozen_norm:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
                    module.requires_grad_(False)
        return self

    @property
    def score_threshold(self) -> float:
        """Least score of a detection, 0..1."""
        return self.rcnn.roi_heads.score_thresh

    @score_threshold.setter
    def score_threshold(self, value: float) -> None:
        self.rcnn.roi_heads.score_thresh = value

    def losses(self, pictures: list[Tensor], targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """The five losses of Keypoint R-CNN (call in training mode).

        Args:
            pictures: (3, H, W) float tensors in 0..1, already at network size.
            targets: ``boxes`` (N, 4) XYXY px, ``labels`` (N,) ones, ``keypoints`` (N, K, 3) x, y, visible.
        """
        return self.rcnn(pictures, targets)

    @torch.inference_mode()
    def detect(self, pictures: list[Tensor]) -> list[dict[str, Tensor]]:
        """Detections per picture (call in evaluation mode), best first, overlapping boxes suppressed.

        Returns:
            ``boxes`` (N, 4), ``scores`` (N,), ``points`` (N, K, 2), ``point_scores`` (N, K), ``sigma`` (N, K), all in
            px of the network's input.
        """
        heads = self.rcnn.roi_heads
        images, _ = self.rcnn.transform(pictures)
        features = self.rcnn.backbone(images.tensors)
        proposals, _ = self.rcnn.rpn(images, features)
        pooled = heads.box_head(heads.box_roi_pool(features, proposals, images.image_sizes))
        logits, regression = heads.box_predictor(pooled)
        boxes, scores, _ = heads.postprocess_detections(
            logits.float(), regression.float(), proposals, images.image_sizes
        )
        precise = [box.to(features["0"].dtype) for box in boxes] if features["0"].dtype == torch.float64 else boxes
        regions = heads.keypoint_roi_pool(features, precise, images.image_sizes)
        maps = heads.keypoint_predictor(heads.keypoint_head(regions)) if len(regions) else None
        found, start = [], 0
        for box, score in zip(boxes, scores, strict=True):
            stop = start + len(box)
            own = maps[start:stop] if maps is not None else box.new_zeros((0, len(self.schema), 56, 56))
            points, point_scores, sigma = self.decode(own, box)
            found.append(
                {"boxes": box, "scores": score, "points": points, "point_scores": point_scores, "sigma": sigma}
            )
            start = stop
        return found

    def decode(self, maps: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Points, scores and sigma of heatmaps (:func:`spinetk.keypoints.heatmap.decode`)."""
        return decode_tensors(maps, boxes)

    def config(self) -> dict[str, Any]:
        """Everything needed to build this network again, as JSON content."""
        return {
            "architecture": "keypoint-rcnn",
            "preset": self.preset.to_json(),
            "schema": self.schema.to_json(),
            "frozen_norm": self.frozen_norm,
        }


def _in_float32(_: nn.Module, __: Any, output: tuple[list[Tensor], list[Tensor]]) -> tuple[list[Tensor], list[Tensor]]:
    logits, deltas = output
    # Float64, in which several processes are compared with one, stays as it is.
    wide = [[v if v.dtype == torch.float64 else v.float() for v in own] for own in (logits, deltas)]
    return wide[0], wide[1]
