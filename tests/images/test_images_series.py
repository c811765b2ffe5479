"""Series folders and volumes: order, gaps, choice of slice, reformation, NIfTI and NRRD orientation."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from image_seeds import dicom, enhanced, to_bytes, truth, volume

from spinetk.errors import InputError
from spinetk.images import find_series, read_picture

AXIAL = {"Modality": "CT", "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
SAGITTAL = {"Modality": "MR", "ImageOrientationPatient": [0, 1, 0, 0, 0, -1], "PixelSpacing": [0.5, 0.5]}


def write_slices(folder, slices):
    """Files in an order that has nothing to do with their places; ``slices`` = [(pixels, position, tags)]."""
    rng = np.random.default_rng(0)
    for name, (pixels, position, tags) in zip(rng.permutation(len(slices)), slices, strict=True):
        ds = dicom(pixels, ImagePositionPatient=list(position), **tags)
        (folder / f"IM{name:03}").write_bytes(to_bytes(ds))


def patient(x, y, z):
    """A linear function of patient coordinates: any linear interpolation gives it back exactly."""
    return 2000 + 3 * x + 5 * y + 7 * z


def grid(position, right, down, spacing, size):
    rows, columns = np.mgrid[: size[0], : size[1]]
    at = (
        np.array(position, float)
        + rows[..., None] * spacing[0] * np.array(down)
        + columns[..., None] * spacing[1] * np.array(right)
    )
    return np.rint(patient(*np.moveaxis(at, -1, 0))).astype(np.uint16)


def test_slices_are_sorted_by_position_and_the_central_one_is_read(tmp_path):
    pixels = [truth().astype(np.uint16) + 50 * k for k in range(7)]
    write_slices(tmp_path, [(pixels[k], (4.0 * k, 0, 0), SAGITTAL) for k in range(7)])
    picture = read_picture(tmp_path)
    np.testing.assert_array_equal(picture.pixels, pixels[3])
    assert picture.kind == "series"
    assert (picture.view, picture.frame.anterior, picture.frame.spacing_mm) == ("sagittal", "left", (0.5, 0.5))
    assert "slice 4 of 7 was read (central)" in picture.remarks
    assert [len(files) for files in find_series(tmp_path).values()] == [7]


def test_gaps_duplicates_and_other_orientations_are_reported(tmp_path):
    places = [0, 3, 6, 15, 18, 18]
    slices = [(truth().astype(np.uint16), (x, 0, 0), SAGITTAL) for x in places]
    slices += [(truth().astype(np.uint16), (0, 0, z), SAGITTAL | AXIAL) for z in (0, 3)]
    write_slices(tmp_path, slices)
    remarks = read_picture(tmp_path).remarks
    left_out = "2 slices of another series, size or orientation in the folder were left out"
    assert f"{left_out}: give each series a folder of its own" in remarks
    assert "1 slices at a place already taken were left out" in remarks
    assert "1 gaps between slices: the largest is 9 mm, 3 mm is usual" in remarks


def test_sagittal_slices_come_before_a_larger_stack_of_axial_ones(tmp_path):
    """The usual MR study in one folder; a localiser of three sagittal slices does not count."""
    axial = [(truth().astype(np.uint16), (0, 0, 4 * z), SAGITTAL | AXIAL) for z in range(9)]
    localiser = [(truth(18, 20).astype(np.uint16), (10 * x, 0, 0), SAGITTAL) for x in range(3)]
    write_slices(tmp_path, axial + localiser)
    assert read_picture(tmp_path).remarks[-1].startswith("mid-sagittal reformation of 9 slices")
    sagittal = [(truth(20, 24).astype(np.uint16), (4 * x, 0, 0), SAGITTAL) for x in range(5)]
    (tmp_path / "more").mkdir()
    write_slices(tmp_path / "more", axial + localiser + sagittal)
    picture = read_picture(tmp_path / "more")
    assert picture.pixels.shape == (20, 24)
    assert picture.remarks[0].startswith("12 slices of 2 other series in the folder were left out")
    assert [len(files) for files in find_series(tmp_path / "more").values()] == [5, 9, 3]


def test_most_spine_finds_the_slice_with_the_column(tmp_path):
    pixels = [np.full((96, 80), 300, np.uint16) for _ in range(7)]
    for top in range(4, 90, 16):
        pixels[5][top : top + 10, 30:50] = 900
    write_slices(tmp_path, [(pixels[k], (4.0 * k, 0, 0), SAGITTAL) for k in range(7)])
    assert read_picture(tmp_path).pixels.max() == 300
    assert read_picture(tmp_path, slice_choice="most-spine").pixels.max() == 900


@pytest.mark.parametrize(
    ("right", "down", "step", "spacing"),
    [
        ([1, 0, 0], [0, 1, 0], [0, 0, 2.5], (0.8, 0.8)),
        ([1, 0, 0], [0, 1, 0], [0, 0, -2.5], (0.8, 0.8)),
        ([-1, 0, 0], [0, -1, 0], [0, 0, 2.0], (0.7, 0.9)),
        ([0, 1, 0], [1, 0, 0], [0, 0, 2.0], (0.8, 0.8)),
        ([1, 0, 0], [0, 0, -1], [0, 3.0, 0], (0.8, 0.8)),
        ([1, 0, 0], [0, 1, 0], [0, 0.8, 2.0], (0.8, 0.8)),
        ([0.98, 0.198997, 0], [-0.198997, 0.98, 0], [0, 0, 2.0], (0.8, 0.8)),
    ],
    ids=["axial", "foot-first", "turned", "transposed", "coronal", "gantry-tilt", "oblique"],
)
def test_reformation_is_the_mid_sagittal_plane_in_mm(tmp_path, right, down, step, spacing):
    size, start = (40, 36), np.array([-20.0, -30.0, 5.0])
    slices = [
        (grid(start + k * np.array(step), right, down, spacing, size), start + k * np.array(step), AXIAL)
        for k in range(12)
    ]
    tags = {"ImageOrientationPatient": [*right, *down], "PixelSpacing": list(spacing)}
    write_slices(tmp_path, [(p, at, t | tags) for p, at, t in slices])
    picture = read_picture(tmp_path)
    step_mm = picture.frame.spacing_mm[0]
    assert picture.frame.spacing_mm[1] == step_mm
    assert (picture.frame.toward_right, picture.frame.toward_bottom, picture.view) == ("P", "F", "sagittal")
    inside = np.ones(picture.pixels.shape, bool) if picture.padding is None else ~picture.padding
    rows, columns = np.nonzero(inside)
    keep = (rows > 1) & (columns > 1) & (rows < inside.shape[0] - 2) & (columns < inside.shape[1] - 2)
    rows, columns = rows[keep], columns[keep]
    design = np.column_stack([columns, rows, np.ones(len(rows))])
    fit, *_ = np.linalg.lstsq(design, picture.pixels[rows, columns], rcond=None)
    # +x is 5 per mm to the back, +y is 7 per mm to the feet, whatever way the slices were laid out.
    np.testing.assert_allclose(fit[:2], [5 * step_mm, -7 * step_mm], rtol=0.01)
    assert np.abs(design @ fit - picture.pixels[rows, columns]).max() < 8


def test_reformation_cuts_at_the_middle(tmp_path):
    """x enters with a weight of its own: the value at a known corner says which x was cut."""
    size, spacing, start = (40, 41), (1.0, 1.0), np.array([-12.0, 0.0, 0.0])
    places = [start + np.array([0, 0, k]) for k in range(8)]
    slices = [(grid(at, [1, 0, 0], [0, 1, 0], spacing, size), at, AXIAL) for at in places]
    write_slices(tmp_path, [(p, at, t | {"PixelSpacing": [1, 1]}) for p, at, t in slices])
    picture = read_picture(tmp_path)
    assert picture.pixels.shape == (8, 40)
    assert picture.pixels[-1, 0] == pytest.approx(patient(-12 + 20, 0, 0), abs=1)
    assert picture.pixels[0, -1] == pytest.approx(patient(-12 + 20, 39, 7), abs=1)


def test_enhanced_volume_is_reformatted(tmp_path):
    stack = np.stack([grid((0, 0, 2.0 * k), [1, 0, 0], [0, 1, 0], (1, 1), (30, 21)) for k in range(6)])
    path = tmp_path / "volume.dcm"
    path.write_bytes(to_bytes(enhanced(stack, [1, 0, 0], [0, 1, 0], [0, 0, 2.0], [1, 1], "CT")))
    picture = read_picture(path)
    assert picture.pixels.shape == (11, 30)
    assert picture.pixels[-1, 0] == pytest.approx(patient(10, 0, 0), abs=1)
    assert picture.pixels[0, 29] == pytest.approx(patient(10, 29, 10), abs=1)


def test_folder_without_a_series_is_refused(tmp_path):
    with pytest.raises(InputError, match="no DICOM series"):
        read_picture(tmp_path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd"])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_volumes_in_every_axis_order_and_direction(tmp_path, suffix, order):
    """Whatever way the voxels lie, the picture shows the middle sagittal plane, back to the right and feet down."""
    for signs in product((1, -1), repeat=3):
        direction = np.zeros((3, 3))
        for axis, (patient_axis, sign) in enumerate(zip(order, signs, strict=True)):
            direction[patient_axis, axis] = sign
        sizes = [9, 12, 10]
        z, y, x = np.mgrid[: sizes[2], : sizes[1], : sizes[0]]
        at = np.einsum("pa,akji->pkji", direction, np.array([x, y, z], float))
        values = np.rint(patient(*at)).astype(np.int16)
        path = tmp_path / f"volume{suffix}"
        path.write_bytes(volume(values, suffix, (1.0, 1.0, 1.0), tuple(direction.ravel())))
        picture = read_picture(path)
        np.testing.assert_allclose(np.diff(picture.pixels, axis=1), 5)
        np.testing.assert_allclose(np.diff(picture.pixels, axis=0), -7)
        assert (picture.frame.toward_right, picture.frame.toward_bottom, picture.view) == ("P", "F", "sagittal")
        assert picture.frame.anterior == "left"
        count = sizes[order.index(0)]
        assert f"slice {count // 2 + 1} of {count}" in picture.remarks[0]


def test_volume_gets_square_pixels(tmp_path):
    path = tmp_path / "volume.nii.gz"
    path.write_bytes(volume(np.zeros((10, 40, 9), np.int16) + 5, ".nii.gz", (1.0, 0.5, 4.0)))
    picture = read_picture(path)
    assert picture.pixels.shape == (80, 40)
    assert picture.frame.spacing_mm == (0.5, 0.5)
    assert picture.frame.spacing_source == "NIfTI"


def test_packed_nifti_is_not_mixed_up_with_its_unpacked_neighbour(tmp_path):
    cube = np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8)
    (tmp_path / "a.nii").write_bytes(volume(cube, ".nii"))
    (tmp_path / "a.nii.gz").write_bytes(volume(cube.astype(np.float32) + 1000, ".nii.gz"))
    assert read_picture(tmp_path / "a.nii.gz").pixels.min() > 999


def test_damaged_packed_nrrd_is_refused_before_the_library_sees_it(tmp_path, monkeypatch):
    """ITK loses some 35 kB for each of them."""
    import SimpleITK as sitk

    path = tmp_path / "a.nrrd"
    whole = volume(np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8), ".nrrd")
    path.write_bytes(whole)
    assert read_picture(path).pixels.shape == (12, 7)
    monkeypatch.setattr(sitk.ImageFileReader, "Execute", None)
    for damaged in (whole[:-40], whole[:-60] + b"\xff" * 60, whole[: whole.index(b"\n\n") + 14]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"damaged NRRD|more voxels"):
            read_picture(path)


def test_four_dimensional_nifti_gives_its_first_volume(tmp_path):
    import SimpleITK as sitk

    parts = [sitk.GetImageFromArray(np.full((4, 5, 6), 10 + k, np.int16)) for k in range(3)]
    sitk.WriteImage(sitk.JoinSeries(parts), str(tmp_path / "a.nii"))
    picture = read_picture(tmp_path / "a.nii")
    assert picture.pixels.min() == picture.pixels.max() == 10
    assert "the first of 3 volumes was read" in picture.remarks


@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int16", "float32"])
def test_nrrd_of_every_plain_type(tmp_path, kind):
    """SimpleITK writes "unsigned char" where others write "uint8"."""
    import SimpleITK

    values = np.arange(4 * 5 * 6).reshape(4, 5, 6).astype(kind)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(tmp_path / "a.nrrd"))
    assert read_picture(tmp_path / "a.nrrd").pixels.size
