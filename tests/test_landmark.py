"""Landmarks of the pelvis: through JSON and through moves of the picture."""

import json

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.landmark import Landmark

PLATE = Landmark("s1", np.array([[10.0, 20.0], [50.0, 32.0]]), None, 0.9, 0.7)
HEAD = Landmark("femoral_head", np.array([[30.0, 90.0]]), 22.5, 0.8, 0.6)


@pytest.mark.parametrize("landmark", [PLATE, HEAD, Landmark("s1", PLATE.points)])
def test_json_and_back(landmark):
    back = Landmark.from_json(json.loads(json.dumps(landmark.to_json())))
    assert back.to_json() == landmark.to_json()
    np.testing.assert_allclose(back.points, landmark.points)


def test_a_mirror_swaps_the_ends_and_twice_is_the_identity():
    mirror = np.array([[-1.0, 0.0, 100.0], [0.0, 1.0, 0.0]])
    moved = PLATE.moved(mirror)
    np.testing.assert_allclose(moved.points, [[50, 32], [90, 20]])
    np.testing.assert_allclose(moved.moved(mirror).points, PLATE.points)


def test_radius_and_deviation_follow_the_scale():
    moved = HEAD.moved(np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]))
    assert moved.radius_px == 45
    assert moved.sigma_px == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"kind": "femur"}, "unknown"),
        ({"kind": "s1", "left": [1, 2]}, "lacks a point"),
        ({"kind": "s1", "left": [1, 2], "right": ["a", 2]}, "text for a number"),
        ({"kind": "femoral_head", "centre": [1, float("nan")], "radius_px": 3}, "not finite"),
    ],
)
def test_what_is_no_landmark_is_refused_by_name(content, words):
    with pytest.raises(InputError, match=words):
        Landmark.from_json(content, "a.json")
