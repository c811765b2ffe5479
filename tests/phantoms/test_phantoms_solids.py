"""Atria and lesions: exact masks, visible, drawn anew from every seed."""

import numpy as np
import pytest
from scipy.ndimage import label

from spinetk.errors import InputError
from spinetk.phantoms.atrium import atrium_volume
from spinetk.phantoms.lesion import lesion_volume
from spinetk.phantoms.solid import Grid

COARSE = {"shape": (28, 72, 72), "spacing_mm": (3.5, 3.0, 3.0)}
BRAIN = {"shape": (30, 88, 72), "spacing_mm": (4.0, 2.0, 2.0)}


def test_solids_have_their_volume_and_distance():
    grid = Grid((60, 60, 60), (1.0, 1.0, 1.0))
    ball = grid.ellipsoid((0, 0, 0), (20, 20, 20))
    assert (ball < 0).sum() == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)
    assert np.abs(ball - (np.sqrt(grid.z**2 + grid.y**2 + grid.x**2) - 20)).max() < 1e-3
    egg = grid.ellipsoid((3, -2, 1), (10, 15, 20))
    assert (egg < 0).sum() == pytest.approx(4 / 3 * np.pi * 10 * 15 * 20, rel=0.01)
    tube = grid.tube((-10, 0, 0), (10, 0, 0), 6, 6)
    assert (tube < 0).sum() == pytest.approx(np.pi * 36 * 20 + 4 / 3 * np.pi * 6**3, rel=0.02)
    assert grid.cover(ball).sum() == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.005)


@pytest.mark.parametrize("seed", range(6))
def test_atrium(seed):
    phantom = atrium_volume(seed, **COARSE)
    assert phantom.values.shape == phantom.mask.shape == COARSE["shape"]
    assert phantom.values.dtype == np.uint8
    assert label(phantom.mask, np.ones((3, 3, 3)))[1] == 1
    millilitres = phantom.mask.sum() * np.prod(phantom.spacing_mm) / 1000
    assert 20 < millilitres < 160
    inside = phantom.values[phantom.mask].mean()
    assert inside > phantom.values.mean() + 20
    # Other chambers are as bright: a threshold finds much more than the atrium.
    assert (phantom.values > inside - 10).sum() > 1.3 * phantom.mask.sum()


def test_atrium_is_the_same_at_another_spacing():
    """Equal anatomy: the volume in millilitres does not depend on the voxels."""
    coarse = atrium_volume(3, **COARSE)
    fine = atrium_volume(3, shape=(49, 108, 108), spacing_mm=(2.0, 2.0, 2.0))
    millilitres = [p.mask.sum() * np.prod(p.spacing_mm) / 1000 for p in (coarse, fine)]
    assert millilitres[0] == pytest.approx(millilitres[1], rel=0.04)


@pytest.mark.parametrize(("contrast", "sign"), [("T1", -1), ("FLAIR", 1)])
def test_lesions_are_there_and_visible(contrast, sign):
    brain = lesion_volume(5, contrast=contrast, count=6, radius_mm=(3, 6), **BRAIN)
    healthy = lesion_volume(5, contrast=contrast, count=0, **BRAIN)
    assert not healthy.mask.any()
    assert healthy.parts == 0
    assert brain.parts == 6
    assert 1 <= label(brain.mask, np.ones((3, 3, 3)))[1] <= 6
    # The same anatomy without lesions, but for the noise.
    change = (brain.values - healthy.values)[brain.mask].mean()
    assert sign * change > 8


@pytest.mark.parametrize("seed", range(4))
def test_every_lesion_has_a_voxel(seed):
    brain = lesion_volume(seed, radius_mm=(0.6, 0.7), count=3, **BRAIN)
    assert brain.parts == 3
    assert 1 <= brain.mask.sum() <= 40
    assert label(brain.mask, np.ones((3, 3, 3)))[1] <= 3


def test_seeds_decide_everything():
    for make, form in ((atrium_volume, COARSE), (lesion_volume, BRAIN)):
        first, again, other = make(1, **form), make(1, **form), make(2, **form)
        assert np.array_equal(first.values, again.values)
        assert np.array_equal(first.mask, again.mask)
        assert not np.array_equal(first.mask, other.mask)


def test_what_cannot_be_drawn():
    with pytest.raises(InputError, match="512"):
        atrium_volume(0, shape=(0, 10, 10))
    with pytest.raises(InputError, match="plausible"):
        atrium_volume(0, spacing_mm=(1.0, 0.0, 1.0))
    with pytest.raises(InputError, match="FLAIR"):
        lesion_volume(0, contrast="T2")
    with pytest.raises(InputError, match="lesions"):
        lesion_volume(0, count=-1)
    with pytest.raises(InputError, match="negative"):
        lesion_volume(-1)
