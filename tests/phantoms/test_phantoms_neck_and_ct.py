"""Radiographs of the neck and sagittal CT slices: repeatable, mirrored exactly, truthful; landmarks of the pelvis."""

import numpy as np
import pytest

from spinetk.phantoms import lateral_radiograph, sagittal_mr
from spinetk.phantoms.cervical import cervical_radiograph
from spinetk.phantoms.choose import stream
from spinetk.phantoms.ct import sagittal_ct
from spinetk.phantoms.spine import draw_spine

SMALL = {"size": (200, 150)}


@pytest.mark.parametrize(
    ("make", "modality", "view"), [(cervical_radiograph, "CR", "cervical"), (sagittal_ct, "CT", "sagittal")]
)
def test_contract(make, modality, view):
    first, second = make(7, **SMALL), make(7, **SMALL)
    assert first.pixels.tobytes() == second.pixels.tobytes()
    assert first.pixels.dtype == np.uint16
    assert first.pixels.shape == (first.reading.height, first.reading.width) == (200, 150)
    assert (first.modality, first.reading.view) == (modality, view)
    assert np.unique(first.pixels).size > 100
    assert len(first.reading.vertebrae) >= 3


def test_the_neck_shows_c3_to_c7():
    labels = [vertebra.label for vertebra in cervical_radiograph(3).reading.vertebrae]
    assert labels[:5] == ["C3", "C4", "C5", "C6", "C7"]
    assert cervical_radiograph(3).reading.landmarks == []


def test_bone_is_brighter_than_soft_tissue_in_ct():
    phantom = sagittal_ct(2, region="lumbar", window=(400.0, 1800.0))
    walls = [
        phantom.pixels[tuple(np.floor(v.points[[1, 4]]).astype(int).T[::-1])].mean() for v in phantom.reading.vertebrae
    ]
    assert np.median(walls) > np.median(phantom.pixels[phantom.pixels > 0]) + 200


def test_facing_mirrors_a_ct_slice_with_its_sacrum():
    left, right = (sagittal_ct(5, facing=side, region="lumbar", **SMALL) for side in ("left", "right"))
    assert (left.pixels == right.pixels[:, ::-1]).all()
    for own, other in zip(left.reading.landmarks, right.reading.flipped().landmarks, strict=True):
        np.testing.assert_allclose(own.points, other.points)


def test_films_know_the_sacrum_and_two_hips_and_slices_no_hips():
    films = [lateral_radiograph(seed, region="lumbar", size=(300, 200)).reading for seed in range(12)]
    kinds = [sorted(landmark.kind for landmark in film.landmarks) for film in films]
    assert ["femoral_head", "femoral_head", "s1"] in kinds
    assert all(kind.count("s1") <= 1 for kind in kinds)
    slice_ = sagittal_mr(1, region="lumbar", size=(200, 200)).reading
    assert all(landmark.kind == "s1" for landmark in slice_.landmarks)


def test_shapes_on_film_follow_the_medians_of_annotated_films():
    """Anterior height and depth of L1 to L5 in steps between centres: 0.69 to 0.75, 0.98 to 1.03 as annotated."""
    spines = [draw_spine(stream(seed, 1), on_film=True) for seed in range(60)]
    heights, depths = [], []
    for spine in spines:
        bodies = [spine.body(f"L{k}") for k in range(1, 6)]
        step = np.mean(np.hypot(*np.diff([body.centre for body in bodies], axis=0).T))
        heights.append([body.anterior_mm / step for body in bodies])
        depths.append([body.depth_mm / step for body in bodies])
    assert np.median(heights) == pytest.approx(0.73, abs=0.03)
    assert np.median(depths) == pytest.approx(1.0, abs=0.05)
