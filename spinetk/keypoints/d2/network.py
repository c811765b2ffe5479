"""Detectron2RCNN: our Keypoint R-CNN, computing what Detectron2's ``keypoint_rcnn_R_50_FPN_3x`` computes.

Torchvision and Detectron2 build the same layers. They differ in the details below, which follow Detectron2 here, so
that its weights give its boxes and points (:mod:`spinetk.keypoints.d2.conversion`):

- the stride of ResNet stages 3 to 5 is in the first 1x1 convolution of the stage, not in its 3x3 convolution;
- anchors are not rounded to whole px, and lie on a grid of exactly 4, 8, 16, 32 and 64 px (torchvision divides the
  padded picture by the size of the map, which is 62 px where the coarsest map is rounded up);
- ROI align shifts by half a cell (``aligned``) and samples as densely as the region is large;
- a point is the highest pixel of the heatmap enlarged to the size of its box;
- pictures are resized by Pillow's bilinear filter (:func:`spinetk.keypoints.pictures.resize`).

Equal in both: padding to multiples of 32, the pyramid with its max-pooled top, the order and the coding of anchors and
boxes (weights 10, 10, 5, 5; growth clamped at 1000 / 16), non-maximum suppression per level, 1000 proposals.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints
from torchvision.ops import roi_align

from spinetk.keypoints.heatmap import decode_tensors
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.preset import Preset
from spinetk.schema import KeypointSchema

FINEST_STRIDE_PX = 4
CANONICAL_PX, CANONICAL_LEVEL = 224, 4  # a region of 224 px is read from the map of stride 2 ** 4


class Detectron2RCNN(VertebraRCNN):
    """As :class:`spinetk.keypoints.network.VertebraRCNN`, with Detectron2's geometry."""

    def __init__(self, preset: Preset, schema: KeypointSchema, frozen_norm: bool = False) -> None:
        super().__init__(preset, schema, frozen_norm)
        for stage in ("layer2", "layer3", "layer4"):
            first = self.rcnn.backbone.body[stage][0]
            first.conv1.stride, first.conv2.stride = first.conv2.stride, first.conv1.stride
        sizes = tuple((side,) for side in self.preset.anchors_px)
        self.rcnn.rpn.anchor_generator = ExactAnchors(sizes, (self.preset.ratios,) * len(sizes))
        self.rcnn.rpn.min_size = torch.finfo(torch.float32).tiny  # any extent will do
        levels = len(sizes) - 1
        self.rcnn.roi_heads.box_roi_pool = AlignedPool(levels, 7)
        self.rcnn.roi_heads.keypoint_roi_pool = AlignedPool(levels, 14)

    @torch.inference_mode()
    def detect(self, pictures: list[Tensor]) -> list[dict[str, Tensor]]:
        """As the parent's, always in float32: bfloat16 alone would move points by more than a pixel."""
        with torch.autocast(pictures[0].device.type, enabled=False):
            return super().detect(pictures)

    def decode(self, maps: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Points at the highest pixel of each enlarged map; scores and sigma of the posterior around its peak."""
        _, scores, sigma = decode_tensors(maps, boxes)
        if not len(boxes):
            return maps.new_zeros((0, maps.shape[1], 2)), scores, sigma
        return heatmaps_to_keypoints(maps.float(), boxes)[0][..., :2], scores, sigma


class ExactAnchors(AnchorGenerator):
    """Anchors of exact size about the corners of cells of 4, 8, 16, ... px."""

    def generate_anchors(
        self,
        scales: list[int],
        aspect_ratios: list[float],
        dtype: torch.dtype = torch.float32,
        device: torch.device = torch.device("cpu"),  # noqa: B008 - as the method it replaces
    ) -> Tensor:
        """(len(ratios) * len(scales), 4) x0, y0, x1, y1 about the origin, of area scale ** 2."""
        sides = torch.as_tensor(scales, dtype=torch.float64)
        root = torch.as_tensor(aspect_ratios, dtype=torch.float64).sqrt()
        width = (1 / root[:, None] * sides).flatten()
        height = (root[:, None] * sides).flatten()
        boxes = torch.stack([-width, -height, width, height], dim=1) / 2
        return boxes.to(dtype) if boxes.is_meta else boxes.to(device, dtype)

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """All anchors of each picture, (N, 4) px, finest level first."""
        first = feature_maps[0]
        self.set_cell_anchors(first.dtype, first.device)
        strides = [FINEST_STRIDE_PX << level for level in range(len(feature_maps))]
        steps = [[torch.tensor(stride, device=first.device)] * 2 for stride in strides]
        anchors = torch.cat(self.grid_anchors([list(m.shape[-2:]) for m in feature_maps], steps))
        return [anchors] * len(image_list.image_sizes)


class AlignedPool(nn.Module):
    """ROI align on the level that suits a region's size (Lin et al. 2017, equation 1), pixel centres respected.

    Args:
        levels: The finest levels used.
        size: Cells per side of a pooled region.
    """

    def __init__(self, levels: int, size: int) -> None:
        super().__init__()
        self.levels = levels
        self.output_size = (size, size)

    def forward(self, features: dict[str, Tensor], boxes: list[Tensor], _: list[tuple[int, int]]) -> Tensor:
        """(R, C, size, size) of all boxes (each (N, 4) px) of a batch."""
        flat = torch.cat(boxes)
        picture = torch.repeat_interleave(
            torch.arange(len(boxes), device=flat.device), torch.tensor([len(b) for b in boxes], device=flat.device)
        )
        regions = torch.cat([picture[:, None].to(flat), flat], dim=1)
        side = (flat[:, 2:] - flat[:, :2]).prod(1).sqrt()
        finest = FINEST_STRIDE_PX.bit_length() - 1
        level = (CANONICAL_LEVEL + torch.log2(side / CANONICAL_PX + 1e-8)).floor() - finest
        level = level.clamp(0, self.levels - 1).long()
        maps = list(features.values())[: self.levels]
        pooled = maps[0].new_zeros((len(flat), maps[0].shape[1], *self.output_size))
        for index, one in enumerate(maps):
            own = torch.where(level == index)[0]
            scale = 1 / (FINEST_STRIDE_PX << index)
            pooled[own] = roi_align(one, regions[own], self.output_size, scale, aligned=True).to(pooled.dtype)
        return pooled
