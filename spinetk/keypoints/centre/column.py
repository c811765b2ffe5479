"""ColumnNet: which level each body is, read from the whole spine laid straight.

A thoracic body looks like its neighbour; only its place in the whole column tells them apart. So the picture is
resampled along the line through the bodies: in this strip the spine runs straight down, whatever its curve, and what
says where counting starts (ribs, sacrum, the skull, the edge of the film) lies at the same side of every spine. A
small network reads the strip from both ends and gives each of its rows a level.

Strips and what is read from them are NumPy (:mod:`spinetk.keypoints.centre.strip`, ``CentreDecoder.votes``); here are
the network and its training.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spinetk.keypoints.centre.decoding import CELL, MIN_BODIES
from spinetk.keypoints.centre.refine import conv
from spinetk.keypoints.centre.strip import COLUMNS, ROWS, between, midline, row_px, rows_of, straighten

LEVEL_SD = 0.5  # levels
LEAST_CUT = 6
RECOUNTED = 0.5  # share of whole films shown with a body more or fewer
BLEND = 4  # rows
STRIPS = 3  # a picture and training step: they are cheap beside the picture, and hard to learn from


class ColumnNet(nn.Module):
    """Convolutions across the strip, a recurrent network along it (it has to count).

    Args:
        levels: L, those it can tell apart, head to foot.
        widths: Channels of the convolutions; the last also of the recurrent network.
    """

    def __init__(self, levels: int, widths: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.levels = levels
        self.rows = nn.Sequential(
            conv(4, a, 2), conv(a, b, 2), conv(b, b), conv(b, c, (1, 2)), conv(c, c), conv(c, d, (1, 2)), conv(d, d)
        )
        self.whole = nn.Sequential(nn.Conv1d(d * COLUMNS // 16, d, 1), nn.ReLU(inplace=True), nn.Dropout(0.2))
        self.along = nn.GRU(d, d, num_layers=2, batch_first=True, bidirectional=True, dropout=0.2)
        self.head = nn.Linear(2 * d, levels + 2 + 2)

    def forward(self, strips: Tensor) -> tuple[Tensor, Tensor]:
        """Answers every ``CELL`` rows, C = ROWS / CELL.

        Args:
            strips: (B, 4, ROWS, COLUMNS) of :func:`straighten`.

        Returns:
            Logits (B, C, L + 2) of: above the first level, each level, below the last; and (B, C, 2) the place within
            a level as cosine and sine of a turn per level (1, 0 at a body's centre). The second is asked for in
            training only, where it makes the network see the bodies before it can count them.
        """
        x = self.rows(strips)
        x = self.whole(x.transpose(2, 3).flatten(1, 2)).transpose(1, 2)
        with torch.autocast(x.device.type, enabled=False):  # PyTorch has no recurrent network in bfloat16 on a CPU
            x = self.head(self.along(x.float())[0])
        return x[..., : self.levels + 2], x[..., self.levels + 2 :]


def column_loss(net: ColumnNet, pictures: list[Tensor], centres: list[Tensor], levels: list[Tensor]) -> Tensor:
    """Loss on strips along disturbed true lines; pictures where a level is unknown do not count.

    The cross-entropy is to a Gaussian around the level, which between two bodies lies between theirs; the place
    within a level adds its squared error.

    Args:
        net: In training mode.
        pictures: (3, H, W) each.
        centres: (N, 2) px, head to foot.
        levels: (N,) int64, consecutive.
    """
    strips, wanted = [], []
    for picture, own, names in zip(pictures, centres, levels, strict=True):
        if len(own) < MIN_BODIES or not bool((names.diff() == 1).all()) or int(names[0]) < 0:
            continue
        whole = int(names[-1]) == net.levels - 1  # it can be counted from the foot
        for _ in range(STRIPS):
            strip, rows, shown = disturbed_strip(picture, own.float(), names, whole)
            strips.append(strip)
            wanted.append(levels_of_cells(rows, shown).to(strip))
    if not strips:
        return torch.stack([p.sum() for p in net.parameters()]).sum() * 0.0
    said, turn = net(torch.stack(strips))
    level = torch.stack(wanted)
    axis = torch.arange(-1, net.levels + 1, device=level.device)
    target = (-0.5 * ((axis - level[..., None].clamp(-1, net.levels)) / LEVEL_SD).square()).softmax(-1)
    entropy = F.cross_entropy(said.flatten(0, 1), target.flatten(0, 1))
    within = ((level > -0.5) & (level < net.levels - 0.5))[..., None]
    angle = 2 * torch.pi * level
    away = (turn - torch.stack([angle.cos(), angle.sin()], -1)).square()
    return entropy + (away * within).sum() / (2 * within.sum()).clamp(min=1)


def levels_of_cells(rows: Tensor, levels: Tensor) -> Tensor:
    """(C,) level at each cell, whole numbers at bodies' rows (N,), going on evenly beyond both ends."""
    cells = np.arange(ROWS // CELL) * CELL + (CELL - 1) / 2
    return torch.from_numpy(between(levels.cpu().numpy(), rows.cpu().numpy(), cells))


def recount(strip: Tensor, rows: Tensor, levels: Tensor, place: int, more: bool) -> tuple[Tensor, Tensor, Tensor]:
    """A strip on which one body is shown twice, or not at all; levels are still counted from the foot.

    Readers count up from the sacrum, and seventeen bodies above it need not end where ribs, shoulders and neck make
    one expect it. A network that has only seen spines with the usual count trusts either end as much.

    Args:
        strip: (4, ROWS, COLUMNS) of :func:`straighten`.
        rows: (N,) of its bodies.
        levels: (N,) of its bodies.
        place: Index of that body, neither the first nor the last.
        more: Whether it is repeated; else it is left out.

    Returns:
        Strip, rows and levels of the N + 1 or N - 1 bodies. What lies above them moves up or down by a body.
    """
    seam, period = float(rows[place : place + 2].mean()), int(rows[place + 1] - rows[place])
    moved, seam, above = (period, seam - period, 1) if more else (-period, seam, -1)
    at = torch.arange(ROWS, device=strip.device)
    source = at + moved
    shown = strip[:, source.clamp(0, ROWS - 1)] * ((source >= 0) & (source < ROWS))[:, None]
    strip = torch.lerp(shown, strip, ((at - seam) / BLEND + 0.5).clamp(0, 1).to(strip.dtype)[:, None])
    upper, lower = (place + 1, place) if more else (place, place + 1)
    rows = torch.cat([rows[:upper] - moved, rows[lower:]])
    return strip, rows, torch.cat([levels[:upper] - above, levels[lower:]])


def disturbed_strip(picture: Tensor, centres: Tensor, levels: Tensor, whole: bool) -> tuple[Tensor, Tensor, Tensor]:
    """A strip along a line as wrong as a detector's may be, and the rows and levels (N,) of the bodies in it.

    Two in five films are cut: they show a run of at least ``LEAST_CUT`` bodies. Of the others that are ``whole`` at the
    foot half have a body more or fewer (:func:`recount`). The line misses up to two bodies at each end or has up to two
    too many, is up to two bodies too high or low and wobbles; the strip may be mirrored, 15 % larger or smaller, or end
    soon after the last or before the first body.
    """
    device, centres, levels = picture.device, centres.cpu(), levels.cpu()

    def uniform(low: float, high: float) -> float:
        return float(torch.rand(()) * (high - low) + low)

    first, last = 0, len(centres) - 1
    if len(centres) > LEAST_CUT and uniform(0, 1) < 0.4:
        shown = int(torch.randint(LEAST_CUT, len(centres), ()))
        first = int(torch.randint(0, len(centres) - shown + 1, ()))
        last = first + shown - 1
    line = centres[first : last + 1]
    step = (line[1:] - line[:-1]).norm(dim=-1).mean()
    line = line + torch.randn(line.shape) * step * 0.08 * uniform(0, 1)
    for _ in range(2):  # one end, turned over, the other
        change = int(torch.randint(-2, 3, ()))
        line = line[: len(line) + change] if change < 0 and len(line) + change >= MIN_BODIES else line
        for _ in range(change):
            turn = torch.tensor(uniform(-0.2, 0.2))
            across, down = ((line[-1] - line[-3]) / 2 * uniform(0.8, 1.2)).unbind()
            on = torch.stack([across * turn.cos() - down * turn.sin(), across * turn.sin() + down * turn.cos()])
            line = torch.cat([line, (line[-1] + on)[None]])
        line = line.flip(0)
    pixel_px = row_px(line.numpy()) * uniform(0.85, 1.15)
    places, tangents = midline(line.numpy(), pixel_px, uniform(-40, 40))
    values = straighten(picture.cpu().numpy(), places, tangents, pixel_px * uniform(0.9, 1.1))
    strip = torch.from_numpy(values).to(picture.device)
    rows = torch.from_numpy(rows_of(centres.numpy(), places)).to(centres.dtype)
    if uniform(0, 1) < 0.5:
        strip = strip.flip(-1)
    if whole and last - first == len(centres) - 1 > LEAST_CUT and uniform(0, 1) < RECOUNTED:
        # The lumbar spine, by which readers count, stays as it is.
        place = int(torch.randint(1, len(centres) - LEAST_CUT, ()))
        strip, rows, levels = recount(strip, rows, levels, place, more=uniform(0, 1) < 0.5)
        last = len(rows) - 1
    kept = torch.ones(ROWS, device=device)
    if last < len(rows) - 1 or uniform(0, 1) < 0.2:
        kept[max(0, int(rows[last] + uniform(6, 60))) :] = 0
    if first > 0 or uniform(0, 1) < 0.2:
        kept[: max(0, int(rows[first] - uniform(6, 40)))] = 0
    return strip * kept[:, None], rows, levels
