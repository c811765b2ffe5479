"""ColumnNet: which level each body is, read from the whole spine laid straight.

A thoracic body looks like its neighbour; only its place in the whole column tells them apart. So the picture is
resampled along the line through the bodies: in this strip the spine runs straight down, whatever its curve, and what
says where counting starts (ribs, sacrum, the skull, the edge of the film) lies at the same side of every spine. A
small network reads the strip from both ends and gives each of its rows a level.

A strip has ``ROWS`` rows from head to foot and ``COLUMNS`` columns, ``1 / STEP_ROWS`` of the distance of two bodies
apart, so that a spine looks the same on a film of the whole back and on one of its lower half.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spinetk.keypoints.centre.refine import conv

ROWS, COLUMNS = 576, 96  # 29 bodies long and 5 wide: ribs' heads and the sacrum's wings lie within
STEP_ROWS = 20.0  # rows from body to body
CELL = 4  # rows per answer
SMOOTH = 0.37  # SD of the smoothing of the line, in bodies
LEVEL_SD = 0.5  # levels
FINE_PX = 2.0  # distance of samples up to which a picture is taken as it is
MIN_BODIES = 4  # below which there is no line to speak of
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

    def votes(self, picture: Tensor, centres: Tensor, line: Tensor) -> Tensor:
        """Votes (N, L) for the levels of bodies in a (3, H, W) picture.

        Args:
            picture: At the size of the network's input.
            centres: (N, 2) px of all bodies in question.
            line: Indices of those that form the column, head to foot.

        Returns:
            Log-probabilities less that of the likeliest answer, "no level" among them: 0 is the best a level can
            have. All 0 for a line of fewer than ``MIN_BODIES``: nothing is known.
        """
        if len(line) < MIN_BODIES:
            return centres.new_zeros((len(centres), self.levels))
        pixel_px = row_px(centres[line])
        places, tangents = midline(centres[line], pixel_px)
        strip = straighten(picture, places, tangents, pixel_px)
        logits = self(torch.stack([strip, strip.flip(-1)]))[0].float()
        said = logits.log_softmax(-1).mean(0)
        row = ((rows_of(centres, places) - (CELL - 1) / 2) / CELL).clamp(0, len(said) - 1)
        own = between(said, torch.arange(len(said), device=row.device), row)
        return (own - own.amax(1, keepdim=True))[:, 1:-1]


def row_px(centres: Tensor) -> float:
    """Distance in px of a strip's rows along a line through (N, 2) centres: median, for a body may be missing."""
    return float((centres[1:] - centres[:-1]).norm(dim=-1).median().clamp(min=1.0)) / STEP_ROWS


def midline(centres: Tensor, pixel_px: float, shift: float = 0.0) -> tuple[Tensor, Tensor]:
    """The line through the bodies, smoothed, going straight on beyond both ends.

    Args:
        centres: (N, 2) px, head to foot, at least two.
        pixel_px: Distance of the rows.
        shift: How far, in rows, the middle of the strip lies below the middle of the line.

    Returns:
        Places (ROWS, 2) px of the strip's rows, and unit vectors (ROWS, 2) along the line, foot-ward.
    """
    reach = min(3, len(centres) - 1)
    first, last = centres[0] - centres[reach], centres[-1] - centres[-1 - reach]
    knots = torch.cat([(centres[0] + first)[None], centres, (centres[-1] + last)[None]])
    lengths = torch.cat([centres.new_zeros(1), (knots[1:] - knots[:-1]).norm(dim=-1).clamp(min=1e-3).cumsum(0)])
    rows = torch.arange(ROWS, device=centres.device) - (ROWS - 1) / 2 + shift
    at = (lengths[1] + lengths[-2]) / 2 + rows * pixel_px
    near = torch.linspace(-2, 2, 13, device=centres.device)
    weights = (-0.5 * near.square()).exp()
    spots = between(knots, lengths, at[:, None] + near * (SMOOTH * STEP_ROWS * pixel_px))
    places = (spots * (weights / weights.sum())[:, None]).sum(1)
    steps = torch.cat([places[1:2] - places[:1], places[2:] - places[:-2], places[-1:] - places[-2:-1]])
    return places, F.normalize(steps, dim=-1)


def straighten(picture: Tensor, places: Tensor, tangents: Tensor, pixel_px: float) -> Tensor:
    """Resample a (3, H, W) picture along a line: (4, ROWS, COLUMNS), the fourth channel 1 inside the picture."""
    whole = int(pixel_px / FINE_PX)
    if whole > 1:  # what lies between two samples is not passed over
        picture, places, pixel_px = F.avg_pool2d(picture, whole), places / whole, pixel_px / whole
    height, width = picture.shape[-2:]
    right = torch.stack([tangents[:, 1], -tangents[:, 0]], -1)
    across = (torch.arange(COLUMNS, device=places.device) - (COLUMNS - 1) / 2) * pixel_px
    where = places[:, None] + across[None, :, None] * right[:, None]
    grid = where / where.new_tensor([width, height]) * 2 - 1
    source = torch.cat([picture, torch.ones_like(picture[:1])])
    return F.grid_sample(source[None], grid[None].to(source.dtype), align_corners=False)[0]


def between(values: Tensor, places: Tensor, wanted: Tensor) -> Tensor:
    """Values (N, ...) at increasing places (N,), linear between them and going on evenly beyond both ends."""
    after = torch.searchsorted(places.contiguous(), wanted.contiguous()).clamp(1, len(places) - 1)
    gap = (places[after] - places[after - 1]).clamp(min=1e-3)
    share = ((wanted - places[after - 1]) / gap).reshape(wanted.shape + (1,) * (values.ndim - 1))
    return values[after - 1] + share * (values[after] - values[after - 1])


def rows_of(centres: Tensor, places: Tensor) -> Tensor:
    """(N,) the row of the line that is nearest to each of (N, 2) centres."""
    return torch.cdist(centres.float(), places.float()).argmin(1).to(centres.dtype)


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
            wanted.append(levels_of_cells(rows, shown))
    if not strips:
        return sum(p.sum() for p in net.parameters()) * 0.0
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
    cells = torch.arange(ROWS // CELL, device=rows.device) * CELL + (CELL - 1) / 2
    return between(levels, rows, cells)


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
    device = centres.device

    def uniform(low: float, high: float) -> float:
        return float(torch.rand(()) * (high - low) + low)

    first, last = 0, len(centres) - 1
    if len(centres) > LEAST_CUT and uniform(0, 1) < 0.4:
        shown = int(torch.randint(LEAST_CUT, len(centres), ()))
        first = int(torch.randint(0, len(centres) - shown + 1, ()))
        last = first + shown - 1
    line = centres[first : last + 1]
    step = (line[1:] - line[:-1]).norm(dim=-1).mean()
    line = line + torch.randn(line.shape).to(device) * step * 0.08 * uniform(0, 1)
    for _ in range(2):  # one end, turned over, the other
        change = int(torch.randint(-2, 3, ()))
        line = line[: len(line) + change] if change < 0 and len(line) + change >= MIN_BODIES else line
        for _ in range(change):
            turn = torch.tensor(uniform(-0.2, 0.2))
            across, down = ((line[-1] - line[-3]) / 2 * uniform(0.8, 1.2)).unbind()
            on = torch.stack([across * turn.cos() - down * turn.sin(), across * turn.sin() + down * turn.cos()])
            line = torch.cat([line, (line[-1] + on)[None]])
        line = line.flip(0)
    pixel_px = row_px(line) * uniform(0.85, 1.15)
    places, tangents = midline(line, pixel_px, uniform(-40, 40))
    strip = straighten(picture, places, tangents, pixel_px * uniform(0.9, 1.1))
    rows = rows_of(centres, places)
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
