"""The column network: lines, strips, levels along them, and what holds for any weights."""

import math

import numpy as np
import pytest
import torch

from spinetk.keypoints.centre.column import (
    LEAST_CUT,
    ColumnNet,
    column_loss,
    disturbed_strip,
    levels_of_cells,
    recount,
)
from spinetk.keypoints.centre.decoding import CELL, CentreDecoder
from spinetk.keypoints.centre.preset import THORACOLUMBAR, CentrePreset
from spinetk.keypoints.centre.strip import COLUMNS, ROWS, STEP_ROWS, midline, row_px, rows_of, straighten
from spinetk.schema import VERTEBRA4


def arc(count=17, radius=500.0, degrees=100.0):
    """(count, 2) places on a circle's arc that bulges to the right."""
    angles = np.radians(np.linspace(-degrees / 2, degrees / 2, count))
    return np.stack([radius * np.cos(angles) - 250, 520 + radius * np.sin(angles)], -1)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return ColumnNet(17, (4, 8, 8, 8))


def test_a_straight_line_goes_on_straight():
    centres = np.array([[100.0, 200.0], [100.0, 240.0], [100.0, 300.0]])
    places, tangents = midline(centres, 2.0, shift=5)
    assert places.shape == tangents.shape == (ROWS, 2)
    np.testing.assert_allclose(places[:, 0], 100.0)
    np.testing.assert_allclose(np.diff(places[:, 1]), 2.0)
    assert places[:, 1].mean() == pytest.approx(250 + 10)
    np.testing.assert_allclose(tangents, np.array([[0.0, 1.0]] * ROWS), atol=1e-12)


def test_rows_are_evenly_spaced_along_a_curve():
    places, tangents = midline(arc(), 2.0)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=-1)
    assert steps.min() > 0.97 * 2
    assert steps.max() < 1.01 * 2
    # The tangent of a circle about (-250, 520) is at right angles to the radius, away from the straight ends.
    inner = slice(120, ROWS - 120)
    radius = places[inner] - [-250.0, 520.0]
    radius /= np.linalg.norm(radius, axis=-1, keepdims=True)
    assert np.abs((radius * tangents[inner]).sum(-1)).max() < 0.05


def test_bodies_on_a_curve_lie_in_the_middle_of_the_strip():
    centres = arc()
    picture = np.zeros((3, 1040, 400), np.float32)
    for x, y in centres.round().astype(int):
        picture[:, y - 4 : y + 4, x - 4 : x + 4] = 1
    places, tangents = midline(centres, 2.0)
    strip = straighten(picture, places, tangents, 2.0)
    assert strip.shape == (4, ROWS, COLUMNS)
    rows = rows_of(centres, places)
    assert strip[0, rows, COLUMNS // 2].min() > 0.9
    assert strip[0, :, COLUMNS // 2 + 6 :].max() == 0
    assert strip[3, rows].min() > 0.999
    below = straighten(picture[:, :520], places, tangents, 2.0)[3]
    assert below[places[:, 1] > 520 + 100].max() == 0


def test_a_spine_looks_the_same_at_any_size():
    """The rows follow the distance of the bodies, a missing one aside; a picture three times as large is not sampled
    more coarsely than it is smooth."""
    centres = arc()
    assert row_px(centres) * STEP_ROWS == pytest.approx(500 * math.radians(100 / 16), rel=1e-2)
    assert row_px(centres[[0, 1, 2, 4, 5, 6]]) == pytest.approx(row_px(centres), rel=1e-2)
    random = torch.Generator().manual_seed(0)
    small = torch.nn.functional.avg_pool2d(torch.rand(3, 1040, 400, generator=random), 9, 1, 4)
    large = torch.nn.functional.interpolate(small[None], scale_factor=3.0, mode="bilinear")[0]
    strips = []
    for picture, bodies in ((small, centres), (large, centres * 3)):
        pixel_px = row_px(bodies)
        strips.append(straighten(picture.numpy(), *midline(bodies, pixel_px), pixel_px))
    inside = (strips[0][3] * strips[1][3]) > 0.999
    assert inside.sum() > 10_000
    np.testing.assert_allclose(strips[0][:, inside], strips[1][:, inside], atol=0.05)


def test_levels_are_whole_at_bodies_and_go_on_beyond_them():
    rows = torch.tensor([100.0, 140.0, 200.0])
    levels = levels_of_cells(rows, torch.tensor([4, 5, 6]))
    assert len(levels) == ROWS // CELL

    def at(row):
        return float(levels[round((row - (CELL - 1) / 2) / CELL)])

    assert [at(row) for row in (100, 140, 200)] == pytest.approx([4, 5, 6], abs=CELL / 40)
    assert at(120) == pytest.approx(4.5, abs=CELL / 40)
    assert at(60) == pytest.approx(3, abs=CELL / 40)
    assert at(260) == pytest.approx(7, abs=CELL / 40)


@pytest.mark.parametrize("more", [True, False])
def test_a_spine_with_another_count_is_counted_from_the_foot(more):
    """Seventeen bodies 20 rows apart, painted with their numbers; the fifth is shown twice, or not at all."""
    rows = 100.0 + 20 * torch.arange(17)
    strip = torch.zeros(4, ROWS, COLUMNS)
    strip[3] = 1
    for number, row in enumerate(rows.long()):
        strip[0, row - 7 : row + 8] = number + 1
    shown, places, levels = recount(strip, rows, torch.arange(17), 4, more)
    middle = shown[0, places.long(), COLUMNS // 2]
    if more:
        assert places.tolist() == [80.0, *rows.tolist()]
        assert middle.tolist() == [1, 2, 3, 4, 5, 5, *range(6, 18)]
        assert levels.tolist() == list(range(-1, 17))
    else:
        assert places.tolist() == rows[1:].tolist()
        assert middle.tolist() == [1, 2, 3, 4, *range(6, 18)]
        assert levels.tolist() == list(range(1, 17))
        assert shown[3, :20].max() == 0  # what comes in from above was never on the film
    torch.testing.assert_close(shown[:, 200:], strip[:, 200:])


def test_a_disturbed_strip_says_where_the_bodies_are():
    """Each body is painted with its own number; it must be found in the row that is told, whatever was disturbed."""
    torch.manual_seed(1)
    centres = torch.from_numpy(arc(radius=900.0, degrees=52.0)).float()
    picture = torch.zeros(3, 1040, 800)
    for number, (x, y) in enumerate(centres.round().long(), start=1):
        picture[:, y - 13 : y + 13, max(0, x - 60) : x + 60] = number / 20
    shown = []
    for _ in range(20):
        strip, rows, _ = disturbed_strip(picture, centres, torch.arange(17), whole=False)
        inside = (rows > 0) & (rows < ROWS - 1)
        painted = strip[0, rows.long(), COLUMNS // 2 - 3 : COLUMNS // 2 + 3].amax(1) * 20
        seen = inside & (painted > 0)
        shown.append(int(seen.sum()))
        torch.testing.assert_close(painted[seen], torch.arange(1.0, 18.0)[seen], atol=0.4, rtol=0)
        assert seen.nonzero().diff(dim=0).max() == 1  # a run of bodies: films are cut at their ends
    assert min(shown) >= LEAST_CUT
    assert max(shown) == 17
    assert 2 <= sum(count < 15 for count in shown) <= 14
    counts = [len(disturbed_strip(picture, centres, torch.arange(17), whole=True)[1]) for _ in range(40)]
    assert set(counts) == {16, 17, 18}


def test_loss_counts_known_columns_only(net):
    net.train()
    picture, centres = torch.rand(3, 1040, 400), torch.from_numpy(arc())
    known = column_loss(net, [picture], [centres], [torch.arange(17)])
    assert known > 1
    unknown = (torch.full((17,), -1), torch.arange(17) * 2, torch.arange(3))
    for levels in unknown:
        loss = column_loss(net, [picture], [centres[: len(levels)]], [levels])
        assert loss == 0
        loss.backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()


def test_votes_are_relative_to_the_likeliest_answer(net):
    net.eval()
    picture, centres = np.random.default_rng(0).random((3, 1040, 400), np.float32), arc()

    @torch.inference_mode()
    def column(strips):
        return net(torch.from_numpy(strips))[0].numpy()

    preset = CentrePreset("any", (400,), 1040, levels=THORACOLUMBAR)
    decoder = CentreDecoder(preset, VERTEBRA4, lambda _: None, lambda _: None, column)
    votes = decoder.votes(picture, centres, np.arange(17))
    assert votes.shape == (17, 17)
    assert votes.max() <= 0
    mirrored = decoder.votes(picture[..., ::-1], [400.0, 0.0] + centres * [-1.0, 1.0], np.arange(17))
    np.testing.assert_allclose(votes, mirrored, atol=0.02)
    assert not decoder.votes(picture, centres[:3], np.arange(3)).any()


def test_the_lowest_bodies_are_shown_alone():
    """The strip is black from half a body above the fifth lowest on; what lies below it is left as it was."""
    shown = []

    def column(strips):
        shown.append(strips)
        return np.zeros((len(strips), ROWS // CELL, 19))

    picture = np.random.default_rng(0).uniform(0.2, 1, (3, 1040, 400)).astype(np.float32)
    centres = np.stack([np.full(17, 200.0), 100 + 50 * np.arange(17.0)], -1)
    preset = CentrePreset("tall", (400,), 1040, levels=THORACOLUMBAR, crop_px=32)
    decoder = CentreDecoder(preset, VERTEBRA4, lambda _: None, lambda _: None, column)
    decoder.votes(picture, centres, np.arange(17))
    decoder.votes(picture, centres, np.arange(17), lowest=5)
    whole, foot = shown
    seam = (ROWS - 1) / 2 + 4 * STEP_ROWS - STEP_ROWS / 2  # the thirteenth of 17 is four below the middle one
    assert not foot[:, :, : int(seam) - 1].any()
    np.testing.assert_array_equal(foot[:, :, int(seam) + 2 :], whole[:, :, int(seam) + 2 :])
    assert foot[:, 3, int(seam) + 2 :].any()
