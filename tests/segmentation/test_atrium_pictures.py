"""Pictures show what they are given."""

import csv

import numpy as np
import pytest
from PIL import Image

from spinetk.segmentation.atrium import pictures
from spinetk.segmentation.atrium.pictures import (
    PREDICTED,
    TILE_PX,
    TRUE,
    _legend,
    draw_contours,
    read_curves,
    write_curves,
)
from spinetk.segmentation.atrium.surface import COLOUR, EXTRA, GROUND, MISSED, SIDE_PX, turning, write_turning

SPACING = (2.0, 1.0, 1.0)


def ball(shape=(24, 40, 44), centre=(24, 20, 22), radius=12.0):
    places = np.indices(shape).T * SPACING
    return (np.linalg.norm(places - centre, axis=-1) < radius).T


def near(picture, colour, tolerance=40):
    return np.abs(picture.astype(int) - colour).sum(-1) < tolerance


def test_outlines_of_prediction_and_truth():
    truth, predicted = ball(), ball(centre=(24, 20, 27))
    values = np.where(truth, 180, 60).astype(np.uint8)
    picture = draw_contours(values, SPACING, predicted, truth)
    body = picture[40:]
    assert near(body, TRUE).sum() > 500
    assert near(body, PREDICTED).sum() > 500
    alone = draw_contours(values, SPACING, predicted)[40:]
    assert not near(alone, TRUE).any()
    # The prediction lies 5 columns to the right: so do its outlines in a tile.
    tile = body[: TILE_PX - 30, :TILE_PX]
    columns = [np.nonzero(near(tile, colour))[1].mean() for colour in (TRUE, PREDICTED)]
    assert columns[1] > columns[0] + 5


def test_six_slices_from_the_second_to_the_last_but_one_and_the_two_through_the_middle(monkeypatch):
    """The mask lies in slices 5 to 15, rows 6 to 8, columns 4 to 8: 5 + 1 + 8 k / 5 rounded, row 7, column 6."""
    shown = []

    def tile(grey, layers, spacing_mm, window, caption):
        shown.append((caption, grey[0, 0], [mask.any() for mask, _ in layers], spacing_mm))
        return np.zeros((TILE_PX, TILE_PX, 3), np.uint8)

    monkeypatch.setattr(pictures, "_tile", tile)
    mask = np.zeros((24, 14, 12), bool)
    mask[4:15, 5:8, 3:8] = True
    values = np.arange(24)[:, None, None] * np.ones(mask.shape)
    draw_contours(values, (2.0, 1.0, 3.0), mask)
    assert [caption for caption, *_ in shown] == [
        "slice 6", "slice 8", "slice 9", "slice 11", "slice 12", "slice 14", "row 7", "column 6",
    ]  # fmt: skip
    assert [grey for _, grey, *_ in shown[:6]] == [5, 7, 8, 10, 11, 13]
    # 18 mm around the mask are 9 slices: all that there are, up to slice 24, the last one on top.
    assert [grey for _, grey, *_ in shown[6:]] == [23, 23]
    assert all(inside == [True] for *_, inside, _ in shown)
    assert [spacing for *_, spacing in shown[5:]] == [[1.0, 3.0], [2.0, 3.0], [2.0, 1.0]]


def test_the_legend_names_each_mask_and_its_own_volume():
    """Voxels of 2 x 1 x 0.5 mm: 1,000 of them are 1 ml, 3,000 are 3 ml."""
    one, three = np.zeros((20, 20, 20), bool), np.zeros((20, 20, 20), bool)
    one[5:15, 5:15, 5:15], three[5:15, 5:15, :] = True, True
    three[:10, 15:, :] = True
    words = [text for text, _ in _legend(one, three, (2.0, 1.0, 0.5), "prediction")]
    assert words[:4] == ["prediction", "1 ml", "truth", "3 ml"]
    assert words[4] == f"Dice {2 * 1000 / 4000:.3f}"
    assert [text for text, _ in _legend(three, None, (2.0, 1.0, 0.5), "truth")] == ["truth", "3 ml"]


def test_outline_lies_on_the_edge():
    """The outline of a bright ball runs between bright and dark."""
    truth = ball()
    values = np.where(truth, 220, 20).astype(np.uint8)
    tile = draw_contours(values, (2.0, 1.0, 1.0), truth)[40:, 6:][:270, :290]
    grey = tile.astype(int).max(-1) - tile.astype(int).min(-1) < 12
    rows, columns = np.nonzero(near(tile, PREDICTED))
    inner = outer = 0
    middle = rows.mean(), columns.mean()
    for row, column in zip(rows, columns, strict=True):
        way = np.array([row - middle[0], column - middle[1]])
        way /= np.linalg.norm(way)
        a, b = (np.round([row, column] + k * way).astype(int) for k in (-8, 8))
        if b.min() >= 0 and b[0] < tile.shape[0] and b[1] < tile.shape[1] and grey[tuple(a)] and grey[tuple(b)]:
            inner, outer = inner + (tile[tuple(a)][0] > 150), outer + (tile[tuple(b)][0] < 90)
    assert min(inner, outer) > 0.95 * max(inner, outer)
    assert inner > 100


@pytest.mark.parametrize("truth", [None, np.zeros((6, 8, 9), bool)])
def test_nothing_to_draw(truth, tmp_path):
    empty = np.zeros((6, 8, 9), bool)
    assert draw_contours(np.zeros((6, 8, 9)), SPACING, empty, truth).dtype == np.uint8
    write_turning(tmp_path / "turn.gif", empty, SPACING, truth, frames=2)
    with Image.open(tmp_path / "turn.gif") as gif:
        assert gif.size == (SIDE_PX, SIDE_PX)


def test_surface_turns_and_stands():
    """A ball below, a thin rod on top of it, off the axis: the rod points up and goes from side to side."""
    mask = ball(centre=(14, 20, 22), radius=10.0)
    mask[10:22, 18:22, 34:38] = True
    frames = list(turning(mask, SPACING, frames=4))
    assert [frame.shape for frame in frames] == [(SIDE_PX, SIDE_PX, 3)] * 4
    seen = [~near(frame[:-30], GROUND, 6) for frame in frames]
    tops = [np.nonzero(s)[1][np.nonzero(s)[0] <= np.nonzero(s)[0].min() + 10].mean() for s in seen]
    middles = [np.nonzero(s)[1].mean() for s in seen]
    aside = [top - middle for top, middle in zip(tops, middles, strict=True)]
    assert max(aside) > 20
    assert min(aside) < -20
    assert aside[0] > 20  # columns run to the right in the first frame
    width = [seen[0][row].sum() for row in (np.nonzero(seen[0])[0].min() + 5, np.nonzero(seen[0])[0].max() - 60)]
    assert width[1] > 2 * width[0]


def test_what_is_too_far_and_what_is_missed_are_told_apart():
    truth = ball()
    far, missed = truth.copy(), truth.copy()
    far[20:, :, :] = truth[12:16].any(0)
    missed[:, :, :18] = False
    (good,) = turning(truth, SPACING, truth, frames=1)
    (too_far,) = turning(far, SPACING, truth, frames=1)
    (too_little,) = turning(missed, SPACING, truth, frames=1)

    def hue(picture, colour):
        picture = picture[:-30].astype(float)
        bright = picture.max(-1) > 60
        like = (picture / (np.linalg.norm(picture, axis=-1, keepdims=True) + 1e-6)) @ colour / np.linalg.norm(colour)
        return int((bright & (like > 0.995)).sum())

    assert hue(good, COLOUR) > 1000
    assert hue(good, EXTRA) == hue(good, MISSED) == 0
    assert hue(too_far, EXTRA) > 300
    assert hue(too_little, MISSED) > 300


def test_curves_of_a_resumed_run(tmp_path):
    """The second start begins before the first one ended, and wins."""
    starts = {"from-00000000": [(9, 0.9), (19, 0.8), (29, 0.7)], "from-00000020": [(29, 0.5), (39, 0.4)]}
    for name, points in starts.items():
        (tmp_path / "logs" / name).mkdir(parents=True)
        with open(tmp_path / "logs" / name / "metrics.csv", "w", newline="") as stream:
            writer = csv.DictWriter(stream, ("step", "loss", "val_dice", "epoch", "lr-Adam"))
            writer.writeheader()
            for step, loss in points:
                writer.writerow({"step": step, "loss": loss, "epoch": 0})
                writer.writerow({"step": step, "val_dice": 1 - loss, "lr-Adam": 1e-3})
    curves = read_curves(tmp_path)
    assert curves["loss"] == [(10, 0.9), (20, 0.8), (30, 0.5), (40, 0.4)]
    assert curves["val_dice"][-1] == (40, 0.6)
    assert "epoch" not in curves
    write_curves(tmp_path, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 600
