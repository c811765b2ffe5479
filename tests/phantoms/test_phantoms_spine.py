"""The anatomy: landmarks with exact heights, contours that pass through them."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.phantoms import Body, deform, draw_spine, vertebra_points
from spinetk.phantoms.spine import LEVELS

# vertebra6: bottom_left, bottom_middle, bottom_right, top_right, top_middle, top_left.
PAIRS = {"left": (0, 5), "middle": (1, 4), "right": (2, 3)}


def height(points, column):
    a, b = PAIRS[column]
    return np.hypot(*(points[a] - points[b]))


@pytest.mark.parametrize("tilt", [-50.0, 0.0, 33.3])
@pytest.mark.parametrize("taper", [-2.0, 0.0, 8.0])
@pytest.mark.parametrize("facing", ["left", "right"])
def test_heights_are_the_requested_ones(tilt, taper, facing):
    points = vertebra_points(20.1, 22.2, 27.3, 34.0, tilt, (100.0, 50.0), facing=facing, taper_mm=taper)
    front, back = ("left", "right") if facing == "left" else ("right", "left")
    assert height(points, front) == pytest.approx(20.1, abs=1e-9)
    assert height(points, "middle") == pytest.approx(22.2, abs=1e-9)
    assert height(points, back) == pytest.approx(27.3, abs=1e-9)
    lengths = [np.hypot(*(points[0] - points[2])), np.hypot(*(points[5] - points[3]))]
    assert np.mean(lengths) == pytest.approx(34.0, rel=0.03)


def test_a_leaning_body_keeps_its_endplates_and_its_middle():
    straight = Body("S1", 20.0, 20.0, 20.0, 30.0)
    points, leaning = straight.points(), replace(straight, lean_mm=8.0).points()
    # Its front is at the right: the lower endplate moves 4 mm to the left, the upper one as far to the right.
    np.testing.assert_allclose(leaning - points, [[-4, 0]] * 3 + [[4, 0]] * 3, atol=1e-12)


def test_names_fit_the_sides_and_the_tilt_lowers_the_front():
    for facing, sign in (("left", -1), ("right", 1)):
        points = vertebra_points(27, 25, 27, 34, 20.0, facing=facing)
        assert (points[[0, 5], 0] < points[[1, 4], 0]).all()
        assert (points[[1, 4], 0] < points[[2, 3], 0]).all()
        assert (points[[0, 1, 2], 1] > points[[5, 4, 3], 1]).all()
        left, right = points[[0, 5], 1].mean(), points[[2, 3], 1].mean()
        assert (right - left) * sign > 0


def test_rectangle_by_hand():
    points = vertebra_points(20, 20, 20, 30, centre=(5, 7))
    expected = [(-10, 17), (5, 17), (20, 17), (20, -3), (5, -3), (-10, -3)]
    np.testing.assert_allclose(points, expected, atol=1e-12)


def test_no_height_is_an_error():
    with pytest.raises(InputError, match="positive"):
        vertebra_points(0, 20, 20, 30)


@pytest.mark.parametrize(("kind", "loss"), [("wedge", 24.9), ("biconcave", 40.1), ("crush", 19.9), ("wedge", 61.0)])
def test_deformity_has_the_exact_loss(kind, loss):
    body = Body("L1", 26.0, 24.5, 27.0, 32.0, tilt_deg=-8.0, centre=(3.0, -90.0), taper_mm=1.0)
    points = deform(body, kind, loss).points()
    anterior, middle, posterior = (height(points, c) for c in ("right", "middle", "left"))
    if kind == "wedge":
        assert 100 * (1 - anterior / posterior) == pytest.approx(loss, abs=1e-9)
        assert middle > anterior
    elif kind == "biconcave":
        assert 100 * (1 - middle / posterior) == pytest.approx(loss, abs=1e-9)
        assert anterior > 0.95 * posterior
    else:
        for now, before in zip((anterior, middle, posterior), (26.0, 24.5, 27.0), strict=True):
            assert 100 * (1 - now / before) == pytest.approx(loss, abs=1e-9)


def test_deformities_that_cannot_be():
    body = Body("L1", 26.0, 24.5, 27.0, 32.0)
    with pytest.raises(InputError, match="unknown"):
        deform(body, "burst", 30)
    with pytest.raises(InputError, match="0 and 80"):
        deform(body, "wedge", 120)


@pytest.fixture(scope="module")
def spines():
    wanted = {"T8": ("wedge", 35.0), "L1": ("crush", 45.0), "L3": ("biconcave", 38.0)}
    return [draw_spine(np.random.default_rng(seed), wanted if seed % 2 else None) for seed in range(6)]


def test_contours_pass_through_the_landmarks(spines):
    for spine in spines:
        for body in spine.bodies:
            contour = body.contour()
            gaps = [np.hypot(*(contour - point).T).min() for point in body.points()]
            assert max(gaps) < 1e-9


def test_landmarks_are_what_a_mask_shows(spines):
    """Corners: farthest along the diagonals; middles: where the mid-line of the corners leaves the mask."""
    mm = 0.1
    for spine in spines[:3]:
        for body in spine.bodies:
            points, contour = body.points(), body.contour()
            origin = contour.min(axis=0) - 2
            size = np.ceil((np.ptp(contour, axis=0) + 4) / mm).astype(int)
            mask = np.zeros((size[1], size[0]), np.uint8)
            cv2.fillPoly(mask, [np.rint((contour - origin) / mm - 0.5).astype(np.int32)], 1)
            ys, xs = np.nonzero(mask)
            filled = (np.stack([xs, ys], axis=1) + 0.5) * mm + origin
            front, down = body.front, -body.up
            local = (filled - body.centre) @ np.stack([front, down], axis=1)
            middle = np.abs(local[:, 0]) < mm
            top, bottom = local[middle, 1].min(), local[middle, 1].max()
            assert bottom - top == pytest.approx(body.middle_mm, abs=0.2)
            for k, sense in ((0, (-1, 1)), (2, (1, 1)), (3, (1, -1)), (5, (-1, -1))):
                scaled = local * sense / (body.depth_mm, body.middle_mm)
                corner = local[np.argmax(scaled.sum(axis=1))]
                assert np.hypot(*(corner - (points[k] - body.centre) @ np.stack([front, down], axis=1))) < 0.9


def test_contours_are_simple_and_bodies_do_not_touch(spines):
    for spine in spines:
        outlines = [body.contour().astype(np.float32) for body in spine.bodies]
        for outline, body in zip(outlines, spine.bodies, strict=True):
            turns = np.diff(np.unwrap(np.arctan2(*(outline - body.centre).T[::-1])))
            assert (np.sign(turns) == np.sign(turns.sum())).mean() > 0.97
        for upper, lower in pairwise(outlines):
            assert max(cv2.pointPolygonTest(upper, tuple(map(float, point)), True) for point in lower) < 0


def test_spines_are_within_normal_anatomy(spines):
    for spine in (spines[0], spines[2], spines[4]):
        assert [body.label for body in spine.bodies] == list(LEVELS)
        centres = np.array([body.centre for body in spine.bodies])
        assert (np.diff(centres[:, 1]) > 0).all()
        for body in spine.bodies:
            assert min(body.anterior_mm, body.middle_mm) > 0.8 * body.posterior_mm
            assert body.posterior_mm > 0.8 * body.anterior_mm
            assert body.deformity == "none"
            assert body.loss_percent == 0
        # Lordosis from L1 to S1 opens to the front, kyphosis from T4 to T12 to the back.
        assert spine.sacrum[0].tilt_deg - spine.body("L1").tilt_deg > 15
        assert spine.body("T4").tilt_deg - spine.body("T12").tilt_deg > 5
