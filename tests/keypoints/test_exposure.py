"""Spoilt films: what each kind does, on a grey film with bodies at known places."""

import numpy as np
import pytest

from spinetk.keypoints.exposure import KINDS, spoil

CORNERS = np.array([[-14.0, -10], [14, -10], [-14, 10], [14, 10]])
BODIES = np.stack([CORNERS + [100.0, 40.0 + 24 * k] for k in range(17)])  # the lowest from 414 to 434


@pytest.fixture
def film():
    """Vertical stripes of three greys, so that contrast can be seen in every row."""
    stripes = np.array([90, 120, 160], np.uint8)[np.arange(200) // 5 % 3]
    return np.tile(stripes, (500, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_spoils_alike_and_another_otherwise(film, kind):
    first, again, other = (spoil(film, BODIES, kind, seed) for seed in (1, 1, 4))
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1] == again[1]
    assert first[0].dtype == np.uint8
    assert film.max() == 160
    if kind != "as it is":
        assert first[0].shape != other[0].shape or (first[0] != other[0]).any()


def contrast(film, row):
    return float(film[row - 10 : row + 10].std(0).mean()), float(np.ptp(film[row].astype(float)))


@pytest.mark.parametrize("kind", ["foot dark", "foot bright", "foot hazy"])
def test_the_foot_loses_contrast_and_the_middle_keeps_it(film, kind):
    shown, _ = spoil(film, BODIES, kind, 3)
    assert contrast(shown, 490)[1] < 0.7 * contrast(shown, 150)[1]


def test_a_collimated_foot_is_black_and_a_film_that_ends_is_shorter(film):
    shown, _ = spoil(film, BODIES, "foot collimated", 5)
    assert not shown[460:].any()
    assert shown[380].any()
    assert spoil(film, BODIES, "film ends", 5)[0].shape[0] < 460


def test_points_of_a_cropped_film_are_found_by_where_it_begins(film):
    marked = film.copy()
    marked[40, 100] = 255  # the middle of the first body
    shown, (x0, y0) = spoil(marked, BODIES, "cropped", 1)
    assert (x0, y0) != (0, 0)
    assert shown[40 - y0, 100 - x0] == shown.max()
