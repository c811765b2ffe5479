"""CentreNet: every vertebral body in one pass over the picture, then each body's points in an upright crop.

The first part follows Vertebra-Focused Landmark Detection (Yi et al., ISBI 2020): a class-agnostic centre map and the
offsets of all points, so that no channel is bound to an ordinal and a missed body shifts nothing. Deviations: half the
resolution with a feature pyramid, no offset map for the centre (the points are refined anyway). The second part takes
the points to sub-pixel precision at the full resolution of the input; trained on jittered truth, it does not depend on
how well the first part does. A third, where the preset names levels, reads them from the column as a whole
(:mod:`spinetk.keypoints.centre.column`).
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import resnet18
from torchvision.models.resnet import BasicBlock

from spinetk.keypoints.centre.column import ColumnNet, column_loss
from spinetk.keypoints.centre.crop import body_boxes, cut, to_crop
from spinetk.keypoints.centre.decoding import OFFSET_UNIT, PAD, STRIDE, CentreDecoder
from spinetk.keypoints.centre.lumbosacral import LumbosacralNet
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.centre.refine import RefineNet, conv, refine_loss
from spinetk.keypoints.centre.target import centre_maps, focal_loss
from spinetk.schema import KeypointSchema

MEAN = (0.485, 0.456, 0.406)  # ImageNet's, as the body's start weights expect
SD = (0.229, 0.224, 0.225)
CLOSE = {"femoral_head": 0.5}  # SD of a bump as a share of a body's: two heads are mostly a quarter of their size apart
LANDMARK_LOOKS = 3  # crops of each landmark in a training step: pelvic angles rest on two points each


class CentreNet(nn.Module):
    """A one-stage detector of vertebral bodies with the K landmarks of a schema; same interface as ``VertebraRCNN``.

    Args:
        preset: Sizes.
        schema: Meaning of the points.
        frozen_norm: Keep batch-norm statistics and scales of the body as loaded.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, preset: CentrePreset, schema: KeypointSchema, frozen_norm: bool = False) -> None:
        super().__init__()
        self.preset, self.schema, self.frozen_norm = preset, schema, frozen_norm
        width, kinds = preset.channels, len(schema)
        whole = resnet18()
        parts = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3")
        self.body = nn.ModuleDict({name: getattr(whole, name) for name in parts})
        # Half as wide as torchvision's last stage: at stride 32 it only has to say where along the spine one is.
        shrink = nn.Sequential(nn.Conv2d(256, 256, 1, 2, bias=False), nn.BatchNorm2d(256))
        self.context = nn.Sequential(BasicBlock(256, 256, 2, shrink), BasicBlock(256, 256), BasicBlock(256, 256))
        self.lateral = nn.ModuleList(nn.Conv2d(n, width, 1) for n in (64, 128, 256, 256 + 2))
        self.smooth = nn.ModuleList(conv(width, width) for _ in range(4))
        self.trunk = nn.Sequential(conv(width, width), conv(width, width))
        # Bodies first, then each kind of landmark.
        self.objects = 1 + len(preset.landmarks)
        apart = len(preset.landmarks) if preset.landmark_channels else 0
        self.centre = nn.Conv2d(width, self.objects - apart, 1)
        _expect_little(self.centre)
        self.offset = nn.Conv2d(width, 2 * kinds * (self.objects - apart), 1)
        self.landmarks = _landmark_layers(width, preset.landmark_channels, apart, kinds) if apart else None
        self.refine = RefineNet(kinds * self.objects, preset.crop_widths)
        self.endplate = RefineNet(kinds, preset.crop_widths) if preset.endplate_refine else None
        self.column = ColumnNet(len(preset.levels)) if preset.levels else None
        self.lumbosacral = LumbosacralNet() if preset.lumbosacral_look else None
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("sd", torch.tensor(SD)[:, None, None], persistent=False)

    def train(self, mode: bool = True) -> CentreNet:
        """As ``nn.Module.train``; frozen batch norms (of the body, of parts not trained) stay in evaluation mode."""
        super().train(mode)
        kept = set(self.body.modules()) if self.frozen_norm else set()
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d) and (module in kept or not module.weight.requires_grad):
                module.eval()
        return self

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile, in place, what training computes of every batch: the maps and the refining network."""
        self.maps = torch.compile(self.maps, *args, **kwargs)  # type: ignore[method-assign]
        self.refine.compile(*args, **kwargs)

    def maps(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Centre logits (B, O, h, w) and offsets (B, O, K, 2, h, w) in units of 8 cells; O is bodies, then landmarks.

        ``pictures`` is (B, 3, H, W) in 0..1 with sides that are multiples of 64; h = H / 8.
        """
        x = F.avg_pool2d((pictures - self.mean) / self.sd, 2)
        x = x.contiguous(memory_format=torch.channels_last)
        features = []
        for name, part in self.body.items():
            x = part(x)
            if name.startswith("layer"):
                features.append(x)
        x = self.context(x)
        features.append(torch.cat([x, _position(x)], 1))
        top: Tensor | None = None
        for feature, lateral, smooth in zip(
            reversed(features), reversed(self.lateral), reversed(self.smooth), strict=True
        ):
            own = lateral(feature)
            top = smooth(own if top is None else own + F.interpolate(top, scale_factor=2.0))
        x = self.trunk(top)
        centre, offset = self.centre(x), self.offset(x)
        if self.landmarks is not None:
            x = self.landmarks["trunk"](x)
            centre = torch.cat([centre, self.landmarks["centre"](x)], 1)
            offset = torch.cat([offset, self.landmarks["offset"](x)], 1)
        return centre, offset.unflatten(1, (self.objects, len(self.schema), 2))

    def losses(self, pictures: list[Tensor], targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Losses of the maps and the refining network, and, with levels, of the column's, unless all is frozen.

        Args:
            pictures: (3, H, W) in 0..1, at network size.
            targets: ``keypoints`` (N, K, 3) x, y, visible in px; optional ``levels`` (N,) int64, indices into the
                preset's levels, -1 where unknown.
        """
        trained = {name.split(".")[0] for name, p in self.named_parameters() if p.requires_grad}
        result = self._body_losses(_pad(pictures), targets) if trained - {"column"} else {}
        if self.column is not None and "column" in trained:
            middles = [target["keypoints"][..., :2].mean(1) for target in targets]
            result["loss_level"] = column_loss(self.column, pictures, middles, [_levels(target) for target in targets])
        return result

    def _body_losses(self, batch: Tensor, targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        centre, offset = self.maps(batch)
        height, width = centre.shape[-2:]
        bumps, rows, known_kinds = [], [], []
        for index, target in enumerate(targets):
            keypoints, kinds = target["keypoints"], torch.zeros(len(target["keypoints"]), dtype=torch.long)
            known = [True] + [bool(target.get("landmarks_known", False))] * (self.objects - 1)
            if "landmarks" in target and self.objects > 1:
                keypoints = torch.cat([keypoints, target["landmarks"]])
                kinds = torch.cat([kinds, 1 + target["kinds"].cpu()])
            kinds = kinds.to(keypoints.device)
            boxes = _boxes(keypoints[..., :2], self.schema)
            maps = [
                centre_maps(boxes[kinds == k, :2] / STRIDE, boxes[kinds == k, 3] / STRIDE * sharp, (height, width))
                for k, sharp in enumerate([1.0, *(CLOSE.get(name, 1.0) for name in self.preset.landmarks)])
            ]
            bumps.append(torch.stack(maps))
            known_kinds.append(torch.tensor(known, device=boxes.device))
            rows.append((torch.full((len(boxes),), index, device=boxes.device), boxes, keypoints, kinds))
        owner, boxes, keypoints, kinds = (torch.cat(column) for column in zip(*rows, strict=True))
        wanted, counted = torch.stack(bumps), torch.stack(known_kinds)
        result = {"loss_centre": focal_loss(centre[:, 0], wanted[:, 0])}
        for k, name in enumerate(self.preset.landmarks, start=1):
            seen = counted[:, k]
            if seen.any():
                result[f"loss_{name}"] = focal_loss(centre[seen, k], wanted[seen, k])
        points, visible = keypoints[..., :2], keypoints[..., 2] > 0
        cells = (boxes[:, :2] / STRIDE).floor().long()
        near = torch.tensor([(dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1)], device=cells.device)
        around = (cells[:, None] + near).flatten(0, 1)
        repeated = torch.arange(len(boxes), device=cells.device).repeat_interleave(len(near))
        fits = ((around >= 0) & (around < around.new_tensor([width, height]))).all(-1)
        around, repeated = around[fits], repeated[fits]
        at = (owner[repeated], kinds[repeated], around[:, 1], around[:, 0])
        said = offset.permute(0, 1, 4, 5, 2, 3)[at].float()
        truth = (points[repeated] / STRIDE - (around[:, None] + 0.5)) / OFFSET_UNIT
        seen = visible[repeated][..., None].float()
        missed = (F.smooth_l1_loss(said, truth, beta=0.05, reduction="none") * seen).sum()
        result["loss_offset"] = 10 * missed / (2 * seen.sum()).clamp(min=1)
        result["loss_refine"] = 0.5 * self._refine_loss(batch, owner, boxes, points, visible, kinds)
        return result

    def _refine_loss(
        self, batch: Tensor, owner: Tensor, boxes: Tensor, points: Tensor, visible: Tensor, kinds: Tensor
    ) -> Tensor:
        """Loss in crops around jittered truth: as far off as the first part may be."""
        count = min(len(boxes), self.preset.crops * len(batch))
        # Landmarks are few beside the bodies: all of them are looked at, and each from several places.
        order = (torch.rand(len(boxes)) - (kinds > 0).cpu().float()).argsort()
        chosen = order[:count].to(boxes.device)
        again = chosen[kinds[chosen] > 0].repeat(LANDMARK_LOOKS - 1)
        chosen = torch.cat([chosen, again])
        count = len(chosen)
        owner, boxes, points, visible = owner[chosen], boxes[chosen].clone(), points[chosen], visible[chosen]
        noise = torch.randn(count, 5).to(boxes.device)
        boxes[:, :2] += noise[:, :2] * boxes[:, 2:4] * boxes.new_tensor([0.06, 0.10])
        boxes[:, 2:4] *= (0.12 * noise[:, 2:4]).exp()
        boxes[:, 4] += 0.09 * noise[:, 4]
        share, plain = self.preset.crop_share, boxes.cpu().numpy()
        crops = np.zeros((count, 1, self.preset.crop_px, self.preset.crop_px), batch[:0].cpu().numpy().dtype)
        for index, picture in enumerate(batch):
            own = (owner == index).cpu().numpy()
            crops[own] = cut(picture[0].cpu().numpy(), plain[own], share, self.preset.crop_px)
        logits = self._refined(torch.from_numpy(crops).to(batch.device), kinds[chosen])
        inside = torch.from_numpy(to_crop(points.cpu().numpy(), plain, share))
        truth = inside.to(boxes) * logits.shape[-1]
        return refine_loss(logits, truth, visible)

    def _refined(self, crops: Tensor, kinds: Tensor) -> Tensor:
        """(N, K, S, S) maps of each crop's own kind of object."""
        logits = self.refine(crops)
        if self.objects == 1:
            return logits
        logits = logits.unflatten(1, (self.objects, -1))[torch.arange(len(logits), device=logits.device), kinds]
        if self.endplate is not None and (plates := kinds == 1 + self.preset.landmarks.index("s1")).any():
            logits = logits.clone()
            logits[plates] = self.endplate(crops[plates])
        return logits

    def detect(self, pictures: list[Tensor], flip: bool | None = None) -> list[dict[str, Tensor]]:
        """Detections per picture (call in evaluation mode): those of :class:`CentreDecoder` as tensors.

        Args:
            pictures: (3, H, W) in 0..1, at network size.
            flip: Also look at the mirrored picture and average: twice the time. By default as the preset says.
        """
        decoder = self.decoder()
        found = [decoder.detect(picture.float().cpu().numpy(), flip) for picture in pictures]
        return [{name: torch.from_numpy(values).float() for name, values in own.items()} for own in found]

    def decoder(self) -> CentreDecoder:
        """What reads pictures with this network, on the network's device and in the precision of its caller."""
        device = self.mean.device

        def call(function: Any) -> Any:
            @torch.inference_mode()
            def run(given: np.ndarray) -> Any:
                answer = function(torch.from_numpy(np.ascontiguousarray(given)).to(device, self.mean.dtype))
                if isinstance(answer, Tensor):
                    return answer.float().cpu().numpy()
                return tuple(own.float().cpu().numpy() for own in answer)

            return run

        column = self.column
        strips = None if column is None else call(lambda strips: column(strips)[0])
        # Not what was compiled for training: every picture has another size.
        maps, refine = call(MethodType(CentreNet.maps, self)), call(self.refine.forward)
        endplate = None if self.endplate is None else call(self.endplate.forward)
        lumbosacral = None if self.lumbosacral is None else call(self.lumbosacral.forward)
        return CentreDecoder(self.preset, self.schema, maps, refine, strips, endplate, lumbosacral)

    def config(self) -> dict[str, Any]:
        """Everything needed to build this network again, as JSON content."""
        return {
            "architecture": "centre",
            "preset": self.preset.to_json(),
            "schema": self.schema.to_json(),
            "frozen_norm": self.frozen_norm,
        }


def _landmark_layers(inputs: int, width: int, count: int, kinds: int) -> nn.ModuleDict:
    """Layers of the landmarks' own: a trunk that sees a body's neighbours too, centre map and offsets."""
    centre = nn.Conv2d(width, count, 1)
    _expect_little(centre)
    trunk = nn.Sequential(conv(inputs, width), conv(width, width, dilation=2), conv(width, width))
    return nn.ModuleDict({"trunk": trunk, "centre": centre, "offset": nn.Conv2d(width, 2 * kinds * count, 1)})


def _expect_little(centre: nn.Conv2d) -> None:
    """Start with centres nowhere: almost every cell holds none."""
    assert centre.bias is not None
    nn.init.constant_(centre.bias, -4.0)


def _boxes(points: Tensor, schema: KeypointSchema) -> Tensor:
    return torch.from_numpy(body_boxes(points.cpu().numpy(), schema)).to(points)


def _levels(target: dict[str, Tensor]) -> Tensor:
    """(N,) levels of a picture's bodies, -1 for all where it has none."""
    known = target.get("levels")
    return torch.full((len(target["keypoints"]),), -1) if known is None else known


def _pad(pictures: list[Tensor]) -> Tensor:
    """Pictures as one batch, black to the right and below, sides multiples of 64."""
    height = -(-max(p.shape[-2] for p in pictures) // PAD) * PAD
    width = -(-max(p.shape[-1] for p in pictures) // PAD) * PAD
    batch = pictures[0].new_zeros((len(pictures), 3, height, width))
    for own, picture in zip(batch, pictures, strict=True):
        own[:, : picture.shape[-2], : picture.shape[-1]] = picture
    return batch


def _position(x: Tensor) -> Tensor:
    """Row and column of each cell of a (B, C, H, W) map, -1..1, as two channels (B, 2, H, W).

    Counted with cumulative sums: exporters keep these for any size, ``linspace`` they fix to the example's.
    """
    ones = torch.ones_like(x[:, :1])
    counts = [ones.cumsum(axis) - 1 for axis in (2, 3)]
    return torch.cat([2 * n / n.amax((2, 3), keepdim=True).clamp(min=1) - 1 for n in counts], 1)
