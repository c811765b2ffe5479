"""Labels of discs: which are believed, left out or refused, and where they lie."""

import nibabel as nib
import numpy as np
import pytest
from disc_volumes import write_subject

from spinetk.discs.preparation import prepare
from spinetk.discs.slab import read_labels, read_slab
from spinetk.errors import InputError


def test_labels_of_unknown_directions_are_not_laid_on_an_image_of_known_ones(tmp_path):
    write_subject(tmp_path, "sub-a", 3)
    path = tmp_path / "derivatives/labels/sub-a/anat/sub-a_T2w_labels-disc-manual.nii.gz"
    image = nib.load(path)
    bare = nib.Nifti1Image(np.asanyarray(image.dataobj), None)
    nib.save(bare, path)
    with pytest.raises(InputError, match="holds no labelled image"):
        prepare(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="unknown directions"):
        read_labels(path, read_slab(tmp_path / "sub-a/anat/sub-a_T2w.nii.gz").volume.grid)


LABELS = "derivatives/labels/sub-a/anat/sub-a_T2w_labels-disc-manual.nii.gz"


def changed(root, change, kind=np.float32):
    """The labels of sub-a after ``change`` of their values, and the grid of the image."""
    image = nib.load(root / LABELS)
    values = np.asanyarray(image.dataobj).astype(kind)
    change(values)
    nib.save(nib.Nifti1Image(values, image.affine), root / LABELS)
    return root / LABELS, read_slab(root / "sub-a/anat/sub-a_T2w.nii.gz").volume.grid


def test_labels_as_float_are_the_same_and_interpolated_ones_are_refused(tmp_path):
    mm = write_subject(tmp_path, "sub-a", 3)
    path, grid = changed(tmp_path, lambda values: None, np.float64)
    assert all(np.allclose(found, mm[n], atol=1e-4) for n, found in read_labels(path, grid).items())

    # Numbers with fractions under the header of a byte mask: nibabel writes them as scaled bytes, off by up to 0.05.
    image = nib.load(tmp_path / LABELS)
    whole = image.get_fdata()
    nib.save(nib.Nifti1Image(whole, image.affine, nib.Nifti1Image(whole.astype(np.uint8), None).header), path)
    assert np.abs(nib.load(path).get_fdata() - whole).max() > 0.01
    assert all(np.allclose(found, mm[n], atol=1e-4) for n, found in read_labels(path, grid).items())

    def blurred(values):
        values[values > 0.5] = values[values > 0.5].round()
        values[values == 22] = 21.6

    path, grid = changed(tmp_path, blurred)
    with pytest.raises(InputError, match=r"holds 21\.6, which is no whole number"):
        read_labels(path, grid)


def test_what_is_no_disc_is_left_out_and_said(tmp_path):
    mm = write_subject(tmp_path, "sub-a", 3)

    def more(values):
        values[0, 0, 0], values[1, 0, 0], values[2, 0, 0], values[3, 0, 0] = 1, 50, 26, 205

    path, grid = changed(tmp_path, more, np.int16)
    said = []
    assert sorted(read_labels(path, grid, said)) == sorted(mm)
    assert said == ["values that are no discs were left out: 26, 205"]

    def spider(values):
        values[values > 0] += 180

    changed(tmp_path, spider, np.int16)
    content = None
    with pytest.raises(InputError):
        content = prepare(tmp_path, tmp_path / "out")
    assert content is None
    write_subject(tmp_path, "sub-b", 4)
    (skipped,) = prepare(tmp_path, tmp_path / "out")["skipped"]
    assert skipped["why"].startswith("holds no disc label; values that are no discs were left out: 181, 200,")


def test_a_number_at_two_places_is_left_out_and_a_brush_is_not(tmp_path):
    mm = write_subject(tmp_path, "sub-a", 3)

    def brush(values):
        for number in (20, 21, 22, 23):
            i, j, k = np.argwhere(values == number)[0]
            values[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2] = number

    path, grid = changed(tmp_path, brush)
    said = []
    found = read_labels(path, grid, said)
    assert not said
    assert all(np.allclose(found[n], mm[n], atol=1e-4) for n in mm)

    def twice(values):
        values[values == 22] = 21

    path, grid = changed(tmp_path, twice)
    found = read_labels(path, grid, said)
    assert sorted(found) == [20, 23]
    assert said == ["21 stands at two places, 23 mm apart, and was left out"]


def test_numbers_that_run_upwards_are_refused(tmp_path):
    write_subject(tmp_path, "sub-a", 3)

    def swap(values):
        low, high = values == 21, values == 22
        values[low], values[high] = 22, 21

    path, grid = changed(tmp_path, swap)
    with pytest.raises(InputError, match="has disc 22 above disc 21: numbers must run from head to feet"):
        read_labels(path, grid)


def test_labels_and_cord_outside_of_the_image(tmp_path):
    write_subject(tmp_path, "sub-a", 3)
    image = nib.load(tmp_path / LABELS)
    moved = image.affine.copy()
    moved[0, 3] += 60  # to the right: the same rows and columns
    nib.save(nib.Nifti1Image(np.asanyarray(image.dataobj), moved), tmp_path / LABELS)
    write_subject(tmp_path, "sub-b", 4)
    write_subject(tmp_path, "sub-c", 5)
    cord = tmp_path / "derivatives/labels/sub-c/anat/sub-c_T2w_seg.nii.gz"
    nib.save(nib.Nifti1Image(np.ones(image.shape, np.uint8), moved), cord)
    why = {s["name"]: s["why"] for s in prepare(tmp_path, tmp_path / "out")["skipped"]}
    assert why["sub-a_T2w"].startswith("holds no disc label; 20 lies outside of the image and was left out; 21 lies")
    assert why["sub-c_T2w"] == "mask of the cord lies outside the image"
