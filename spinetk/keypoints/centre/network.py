"""CentreNet: every vertebral body in one pass over the picture, then each body's points in an upright crop.

The first part follows Vertebra-Focused Landmark Detection (Yi et al., ISBI 2020): a class-agnostic centre map and the
offsets of all points, so that no channel is bound to an ordinal and a missed body shifts nothing. Deviations: half the
resolution with a feature pyramid, no offset map for the centre (the points are refined anyway). The second part takes
the points to sub-pixel precision at the full resolution of the input; trained on jittered truth, it does not depend on
how well the first part does. A third, where the preset names levels, reads them from the column as a whole
(:mod:`spinetk.keypoints.centre.column`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import resnet18
from torchvision.models.resnet import BasicBlock

from spinetk.keypoints.centre.column import ColumnNet, column_loss
from spinetk.keypoints.centre.crop import body_boxes, cut, from_crop, to_crop
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.centre.refine import RefineNet, conv, refine_loss
from spinetk.keypoints.centre.target import OFFSET_UNIT, centre_maps, focal_loss
from spinetk.keypoints.heatmap import decode
from spinetk.schema import KeypointSchema

MEAN = (0.485, 0.456, 0.406)  # ImageNet's, as the body's start weights expect
SD = (0.229, 0.224, 0.225)
STRIDE = 8  # px of the input per cell: half resolution, then 4
PAD = 64  # sides of a batch are multiples of this, so that stride 32 at half resolution divides them
PEAK = 0.05  # least probability of a centre
MOST_LANDMARKS = 2  # of a kind that are looked at: there are two femoral heads


class CentreNet(nn.Module):
    """A one-stage detector of vertebral bodies with the K landmarks of a schema; same interface as ``VertebraRCNN``.

    Args:
        preset: Sizes.
        schema: Meaning of the points.
        frozen_norm: Keep batch-norm statistics and scales of the body as loaded.
    """

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
        self.centre = nn.Conv2d(width, self.objects, 1)
        nn.init.constant_(self.centre.bias, -4.0)
        self.offset = nn.Conv2d(width, 2 * kinds * self.objects, 1)
        self.refine = RefineNet(kinds * self.objects, preset.crop_widths)
        self.column = ColumnNet(len(preset.levels)) if preset.levels else None
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
        return self.centre(x), self.offset(x).unflatten(1, (self.objects, len(self.schema), 2))

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
        shape = centre.shape[-2:]
        wanted, rows, counted = [], [], []
        for index, target in enumerate(targets):
            keypoints, kinds = target["keypoints"], torch.zeros(len(target["keypoints"]), dtype=torch.long)
            known = [True] + [bool(target.get("landmarks_known", False))] * (self.objects - 1)
            if "landmarks" in target and self.objects > 1:
                keypoints = torch.cat([keypoints, target["landmarks"]])
                kinds = torch.cat([kinds, 1 + target["kinds"].cpu()])
            kinds = kinds.to(keypoints.device)
            boxes = body_boxes(keypoints[..., :2], self.schema)
            maps = [
                centre_maps(boxes[kinds == k, :2] / STRIDE, boxes[kinds == k, 3] / STRIDE, shape)
                for k in range(self.objects)
            ]
            wanted.append(torch.stack(maps))
            counted.append(torch.tensor(known, device=boxes.device))
            rows.append((torch.full((len(boxes),), index, device=boxes.device), boxes, keypoints, kinds))
        owner, boxes, keypoints, kinds = (torch.cat(column) for column in zip(*rows, strict=True))
        wanted, counted = torch.stack(wanted), torch.stack(counted)
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
        fits = ((around >= 0) & (around < around.new_tensor([shape[1], shape[0]]))).all(-1)
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
        # Landmarks are few beside the bodies: all of them are looked at.
        order = (torch.rand(len(boxes)) - (kinds > 0).cpu().float()).argsort()
        chosen = order[:count].to(boxes.device)
        owner, boxes, points, visible = owner[chosen], boxes[chosen].clone(), points[chosen], visible[chosen]
        noise = torch.randn(count, 5).to(boxes.device)
        boxes[:, :2] += noise[:, :2] * boxes[:, 2:4] * boxes.new_tensor([0.06, 0.10])
        boxes[:, 2:4] *= (0.12 * noise[:, 2:4]).exp()
        boxes[:, 4] += 0.09 * noise[:, 4]
        side, share = self.preset.crop_px, self.preset.crop_share
        logits = self._of_kind(self.refine(cut(batch[:, :1], owner, boxes, share, side)), kinds[chosen])
        truth = to_crop(points, boxes, share) * logits.shape[-1]
        return refine_loss(logits, truth, visible)

    def _of_kind(self, logits: Tensor, kinds: Tensor) -> Tensor:
        """(N, K, S, S) maps of each crop's own kind of object, of (N, O K, S, S)."""
        if self.objects == 1:
            return logits
        return logits.unflatten(1, (self.objects, -1))[torch.arange(len(logits), device=logits.device), kinds]

    @torch.inference_mode()
    def detect(self, pictures: list[Tensor], flip: bool | None = None) -> list[dict[str, Tensor]]:
        """Detections per picture (call in evaluation mode), best first.

        Args:
            pictures: (3, H, W) in 0..1, at network size.
            flip: Also look at the mirrored picture and average: twice the time. By default as the preset says.

        Returns:
            ``boxes`` (N, 4) around the points, ``scores`` (N,), ``points`` (N, K, 2), ``point_scores`` (N, K),
            ``sigma`` (N, K), all in px of the network's input. With landmarks in the preset the same of these under
            ``landmark_boxes``, ... , and ``landmark_kinds`` (M,), indices into the preset's landmarks.
        """
        flip = self.preset.mirror if flip is None else flip
        batch = _pad(pictures)
        centre, offset = self._seen(batch, flip)
        found = []
        for index, picture in enumerate(pictures):
            scores, points = self._peaks(centre[index, 0], offset[index, 0])
            own = self.look(picture, points, flip) | {"scores": scores}
            if self.preset.landmarks:
                own |= self._landmarks(picture, centre[index], offset[index], flip)
            found.append(own)
        return found

    @torch.inference_mode()
    def look(
        self, picture: Tensor, points: Tensor, flip: bool | None = None, passes: int = 2, kind: int = 0
    ) -> dict[str, Tensor]:
        """Refine points of bodies in a (3, H, W) picture: ``boxes``, ``points``, ``point_scores``, ``sigma``.

        ``points`` (N, K, 2) px may be rough; each pass crops around the points of the one before. ``kind`` 0 is a body,
        1 and on a landmark of the preset.
        """
        share, side = self.preset.crop_share, self.preset.crop_px
        flip = self.preset.mirror if flip is None else flip
        scores = sigma = points.new_zeros(points.shape[:2])
        owner = torch.zeros(len(points), dtype=torch.long, device=points.device)
        for _ in range(passes if len(points) else 0):
            boxes = body_boxes(points, self.schema)
            crops = cut(picture[None, :1], owner, boxes, share, side)
            kinds = torch.full((len(points),), kind, device=points.device)
            logits = self._of_kind(self.refine(crops).float(), kinds)
            if flip:
                mirrored = self._of_kind(self.refine(crops.flip(-1)).float(), kinds).flip(-1)[:, self._partners()]
                logits = (logits + mirrored) / 2
            unit = logits.new_tensor([0.0, 0.0, 1.0, 1.0]).expand(len(points), 4)
            inside, scores, spread = decode(logits, unit)
            points = from_crop(inside, boxes, share)
            sigma = spread * (boxes[:, 2:4] * boxes.new_tensor(share)).prod(-1, keepdim=True).sqrt()
        low, high = (points.amin(1), points.amax(1)) if len(points) else (points[:, 0], points[:, 0])
        return {"boxes": torch.cat([low, high], -1), "points": points, "point_scores": scores, "sigma": sigma}

    def _landmarks(self, picture: Tensor, centre: Tensor, offset: Tensor, flip: bool) -> dict[str, Tensor]:
        """The surest few of each kind of landmark, refined."""
        parts = []
        for kind in range(1, self.objects):
            scores, points = self._peaks(centre[kind], offset[kind])
            scores, points = scores[:MOST_LANDMARKS], points[:MOST_LANDMARKS]
            own = self.look(picture, points, flip, kind=kind) | {"scores": scores}
            parts.append(own | {"kinds": torch.full((len(scores),), kind - 1, device=scores.device)})
        return {f"landmark_{key}": torch.cat([part[key] for part in parts]) for key in parts[0]}

    def _seen(self, batch: Tensor, flip: bool) -> tuple[Tensor, Tensor]:
        """Centre probabilities and offsets, averaged with those of the mirrored picture."""
        centre, offset = self.maps(batch)
        centre, offset = centre.float().sigmoid(), offset.float()
        if flip:
            other, away = self.maps(batch.flip(-1))
            centre = (centre + other.float().sigmoid().flip(-1)) / 2
            away = away.float().flip(-1)[:, :, self._partners()] * away.new_tensor([-1.0, 1.0])[:, None, None]
            offset = (offset + away) / 2
        return centre, offset

    def _peaks(self, centre: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and rough points in px at the local maxima of one picture's maps, best first."""
        top = F.max_pool2d(centre[None, None], 3, 1, 1)[0, 0]
        scores, order = torch.where(centre == top, centre, centre.new_zeros(())).flatten().sort(descending=True)
        order = order[: self.preset.detections][scores[: self.preset.detections] > PEAK]
        rows, columns = order // centre.shape[1], order % centre.shape[1]
        cells = torch.stack([columns, rows], -1)[:, None] + 0.5
        points = (cells + offset.permute(2, 3, 0, 1)[rows, columns] * OFFSET_UNIT) * STRIDE
        return scores[: len(order)], points

    def _partners(self) -> list[int]:
        """Index of each point's name in the mirrored picture."""
        return list(self.schema.flip_indices)

    def config(self) -> dict[str, Any]:
        """Everything needed to build this network again, as JSON content."""
        return {
            "architecture": "centre",
            "preset": self.preset.to_json(),
            "schema": self.schema.to_json(),
            "frozen_norm": self.frozen_norm,
        }


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
