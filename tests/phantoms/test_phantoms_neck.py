"""Necks of phantoms: shaped and bent as annotated films of necks are, and nothing cuts into anything."""

from dataclasses import replace

import numpy as np
import pytest

from spinetk.phantoms.body import Body
from spinetk.phantoms.choose import stream
from spinetk.phantoms.neck import NECK, draw_neck, least_gap


@pytest.fixture(scope="module")
def necks():
    return [draw_neck(stream(seed, 31)) for seed in range(120)]


def of(necks, name):
    return np.array([[getattr(neck.spine.body(label), name) for label in NECK] for neck in necks])


def test_heights_depths_and_slants_have_the_medians_of_annotated_films(necks):
    """4,459 films, C3 to C7: shares of the mean step between centres; the angle to the square of their line."""
    steps = np.array([neck.step_mm for neck in necks])[:, None]
    fronts = np.median(of(necks, "anterior_mm") / steps, axis=0)
    np.testing.assert_allclose(fronts, [0.753, 0.711, 0.661, 0.696, 0.808], atol=0.02)
    depths = np.median(of(necks, "depth_mm") / steps, axis=0)
    np.testing.assert_allclose(depths, [0.80, 0.83, 0.847, 0.874, 0.891], atol=0.04)
    slants = np.degrees(np.arctan(of(necks, "slant_mm") / of(necks, "depth_mm"))).mean(axis=1)
    assert np.median(slants) == pytest.approx(7.8, abs=0.7)


def test_necks_are_bent_as_differently_as_real_ones(necks):
    """Lean of the way from C3 to C4 less that from C7 to T1: quartiles 4.3, 11.8 and 19.6 degrees in the films."""
    bends = []
    for neck in necks:
        centres = np.array([body.centre for body in neck.spine.bodies[:6]])
        way = np.diff(centres, axis=0)
        lean = np.degrees(np.arctan2(way[:, 0], way[:, 1]))
        bends.append(lean[0] - lean[-1])
    np.testing.assert_allclose(np.percentile(bends, [25, 50, 75]), [4.3, 11.8, 19.6], atol=3.5)
    assert min(bends) < 0  # some are kyphotic


def test_a_disc_is_left_between_all_bodies(necks):
    assert min(least_gap(neck) / neck.step_mm for neck in necks) > 0.05


def test_a_slanted_body_keeps_its_heights_and_the_angle_of_its_endplates():
    upright = Body("C5", 11.0, 10.5, 12.0, 15.0, tilt_deg=20.0)
    points = replace(upright, slant_mm=2.5).points()
    heights = [np.linalg.norm(points[top] - points[bottom]) for top, bottom in ((3, 2), (4, 1), (5, 0))]
    np.testing.assert_allclose(heights, [11.0, 10.5, 12.0])
    # The front corners 1.25 mm down along the walls, which lean by 20 degrees, the back ones as much up.
    down = np.array([-np.sin(np.radians(20)), np.cos(np.radians(20))])
    moved = points - upright.points()
    np.testing.assert_allclose(moved, np.array([-1, 0, 1, 1, 0, -1])[:, None] * 1.25 * down, atol=1e-12)
