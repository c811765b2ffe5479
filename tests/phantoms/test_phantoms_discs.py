"""Disc volumes and the BIDS set of them."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from spinetk.errors import InputError
from spinetk.phantoms.discs import disc_volume, write_disc_set


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("discs") / "bids"
    write_disc_set(folder, 4, seed=3, modalities=("T2w",), centres=("alpha", "beta", "gamma", "delta"))
    return folder


def test_discs_end_where_the_canal_begins():
    """In T2 the fluid right behind a disc's end is brighter than the fibrous ring right before it."""
    phantom = disc_volume(0, weighting="T2", style=2, slices=5)
    brighter = []
    for z, row, column in phantom.discs.values():
        line = phantom.values[round(z), round(row)].astype(float)
        behind, before = line[round(column) - 10 : round(column) - 4], line[round(column) + 2 : round(column) + 6]
        brighter.append(behind.mean() > 1.5 * before.mean())
    assert len(brighter) >= 5
    assert np.mean(brighter) >= 0.9


def test_numbers_run_down_to_the_sacrum():
    """L5/S1 is 25 in the Spinal Cord Toolbox's numbering, and the lowest disc of a lumbar picture."""
    discs = disc_volume(5).discs
    assert sorted(discs) == list(range(26 - len(discs), 26))
    rows = [discs[n][1] for n in sorted(discs)]
    assert rows == sorted(rows)


def test_contrasts_of_a_seed_share_the_anatomy():
    one, other = (disc_volume(9, weighting=w, slices=3) for w in ("T1", "T2"))
    assert one.discs == other.discs
    assert one.values.shape == other.values.shape
    assert np.mean(one.values != other.values) > 0.9


def test_equal_arguments_give_equal_bits():
    one, other = (disc_volume(4, slices=3) for _ in range(2))
    assert (one.values == other.values).all()
    assert one.discs == other.discs


def test_slices_have_noise_of_their_own_and_one_scale():
    values = disc_volume(6, slices=5, spacing_mm=(1.0, 1.0, 1.0)).values.astype(float)
    means = values.mean(axis=(1, 2))
    assert np.ptp(means) < 0.05 * means.mean()
    assert (values[2] != values[1]).mean() > 0.5


def test_files_keep_their_places_in_every_orientation(root):
    """The labels' places in the patient, by hand from the voxel grid: front is -y, feet are -z in ITK's frame."""
    orientations = set()
    for k, centre in enumerate(("alpha", "beta", "gamma", "delta")):
        phantom = disc_volume(3 * 1_000_003 + k, style=7919 * 3 + k)
        name = f"sub-{centre}01"
        image = sitk.ReadImage(str(root / name / "anat" / f"{name}_T2w.nii.gz"))
        path = root / "derivatives" / "labels" / name / "anat" / f"{name}_T2w_label-discs_dlabel.nii.gz"
        labels = sitk.ReadImage(str(path))
        assert image.GetSize() == labels.GetSize()
        assert np.allclose(image.GetDirection(), labels.GetDirection())
        orientations.add(sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(image.GetDirection()))
        values = sitk.GetArrayFromImage(labels)
        middle, spacing = (np.array(phantom.values.shape) - 1) / 2, np.array(phantom.spacing_mm)
        for number, place in phantom.discs.items():
            (voxel,) = np.argwhere(values == number)
            found = np.array(labels.TransformIndexToPhysicalPoint([int(v) for v in voxel[::-1]]))
            across, down, ahead = (np.array(place) - middle) * spacing
            assert np.abs(found - (across, -ahead, -down)).max() <= spacing.max() / 2 + 1e-3
    assert len(orientations) == 4


def test_discs_prepare_reads_the_set(root, tmp_path):
    from spinetk.discs.preparation import prepare

    content = prepare(root, tmp_path, grid_mm=2.0)
    assert content["skipped"] == []
    assert sorted(content["centres"].values()) == ["alpha", "beta", "delta", "gamma"]
    assert sum(map(len, content["split"].values())) == 4


@pytest.mark.parametrize(
    "arguments",
    [
        {"subjects": 0},
        {"modalities": ["PD"]},
        {"centres": ["a-b"]},
        {"centres": ["../x"]},
    ],
)
def test_refuses(tmp_path, arguments):
    with pytest.raises(InputError):
        write_disc_set(tmp_path, **arguments)


@pytest.mark.parametrize("arguments", [{"weighting": "T2w"}, {"slices": 0}, {"spacing_mm": (3.0, 0.0, 0.9)}])
def test_refuses_volumes(arguments):
    with pytest.raises(InputError):
        disc_volume(0, **arguments)
