"""Regions: what a Keypoint R-CNN draws to train on, picture by picture, and how much it drew.

Torchvision draws the regions of all pictures of a batch from one stream, so those of a picture depend on its
neighbours. Here each picture has a stream of its own: a batch shared out to several processes draws what one process
would. Torchvision's losses are means over what was drawn; the counts let several processes weigh theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler
from torchvision.models.detection.roi_heads import keypoints_to_heatmap

MAP_SIDE = 56


class Regions:
    """The two samplers of a Keypoint R-CNN: anchors and proposals. Does nothing for a network without them.

    Args:
        network: Its field ``rcnn``, where it has one, gets seeded samplers.
    """

    def __init__(self, network: nn.Module) -> None:
        self.heads: Any = None
        rcnn = getattr(network, "rcnn", None)
        if rcnn is None:
            return
        self.heads = rcnn.roi_heads
        self.anchors, self.proposals = (_Seeded(part.fg_bg_sampler) for part in (rcnn.rpn, self.heads))
        rcnn.rpn.fg_bg_sampler, self.heads.fg_bg_sampler = self.anchors, self.proposals
        self._select = self.heads.select_training_samples
        self.heads.select_training_samples = self._remember
        self._chosen: tuple[Any, ...] = ()

    def begin(self, seeds: Sequence[int]) -> None:
        """Set the seed of each picture of the next batch."""
        torch.manual_seed(seeds[0])
        if self.heads is not None:
            self.anchors.seeds = self.proposals.seeds = list(seeds)

    def counts(self, targets: list[dict[str, Tensor]]) -> dict[str, int]:
        """Loss name to the number of items it is the mean over, of the batch just computed."""
        if self.heads is None:
            return {}
        anchors, proposals = self.anchors.drawn, self.proposals.drawn
        found = {"loss_objectness": anchors, "loss_rpn_box_reg": anchors}
        return found | {
            "loss_classifier": proposals, "loss_box_reg": proposals, "loss_keypoint": self._points(targets)
        }  # fmt: skip

    def _points(self, targets: list[dict[str, Tensor]]) -> int:
        """Points that lie in the proposals they belong to, as torchvision counts them."""
        total = 0
        for boxes, matched, labels, target in zip(*self._chosen, targets, strict=True):
            positive = labels > 0
            points = target["keypoints"][matched[positive]]
            if len(points):
                total += int(keypoints_to_heatmap(points, boxes[positive], MAP_SIDE)[1].sum())
        return total

    def _remember(self, *arguments: Any) -> Any:
        selected = self._select(*arguments)
        self._chosen = tuple([t.detach() for t in own] for own in selected[:3])
        return selected


class _Seeded(BalancedPositiveNegativeSampler):
    """Torchvision's sampler, each picture from a seed of its own. Without seeds it is the plain one.

    Attributes:
        seeds: Of the pictures of the next call, which uses them up.
        drawn: Regions drawn in the last call.
    """

    def __init__(self, plain: BalancedPositiveNegativeSampler) -> None:
        super().__init__(plain.batch_size_per_image, plain.positive_fraction)
        self.seeds: list[int] | None = None
        self._sampled: list[Tensor] = []

    @property
    def drawn(self) -> int:
        return int(sum(mask.sum() for mask in self._sampled))

    def __call__(self, matched: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        seeds, self.seeds = self.seeds, None
        if seeds is None:
            return super().__call__(matched)
        positive, negative = [], []
        for seed, own in zip(seeds, matched, strict=True):
            torch.manual_seed(seed)
            found = super().__call__([own])
            positive += found[0]
            negative += found[1]
        self._sampled = positive + negative
        return positive, negative
