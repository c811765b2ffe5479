"""Grids, cuts and masks of volumes, and what is told of DICOM files, each whole against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from volume_files import affine_of, write_nifti

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import cut as cuts
from spinetk.images import read_picture
from spinetk.images.cut import _plan, _square_size, describe_volume, is_hounsfield
from spinetk.images.grid import Grid, Turn
from spinetk.images.info import describe
from spinetk.images.volume import Volume, mask_on
from spinetk.images.voxels import VolumeHeader


def grid(order=(0, 1, 2), signs=(1, 1, 1), spacing=(1.0, 2.0, 3.0), shape=(4, 5, 6), oriented=True, **more):
    return Grid(shape, affine_of(order, signs, spacing, (10.0, 20.0, 30.0), **more), oriented)


# --- grids ---


def test_a_grid_from_what_dicom_says():
    """Columns run to the back, rows to the feet, slices to the left; LPS+ is RAS+ with two signs turned."""
    found = Grid.of_lps((2, 3, 4), (4.0, 0.5, 0.25), (1, 2, 3), (0, 0, 1, 1, 0, 0, 0, -1, 0))
    assert found.affine.tolist() == [[0, 0, -4, -1], [-0.25, 0, 0, -2], [0, -0.5, 0, 3], [0, 0, 0, 1]]
    assert (found.shape, found.oriented) == ((2, 3, 4), True)
    assert (found.spacing_mm, found.origin_mm) == ((4, 0.5, 0.25), (1, 2, 3))
    assert found.direction == (0, 0, 1, 1, 0, 0, 0, -1, 0)
    assert found.axes == "PIL"
    assert found.directions.tolist() == [[0, 0, -1], [-1, 0, 0], [0, -1, 0]]
    assert Grid.of_lps((1, 1, 1), (1, 1, 1)).affine.tolist() == np.diag([-1, -1, 1, 1]).tolist()
    assert found.to_mm(np.array([1, 2, 1])).tolist() == [-5, -2.25, 2]
    assert found.to_index(np.array([[-5, -2.25, 2]])).tolist() == [[1, 2, 1]]
    corners = {tuple(corner) for corner in found.corners().tolist()}
    assert corners == {(x, y, z) for x in (-1, -5) for y in (-2, -2.75) for z in (3, 2)}
    assert found.corners().shape == (8, 3)


def test_grids_in_words():
    assert grid().described() == "6 x 5 x 4 voxels of 1 x 2 x 3 mm, RAS, first voxel at (10.0, 20.0, 30.0) mm"
    assert grid(oriented=False, spacing=(1 / 3, 2, 3)).described() == (
        "6 x 5 x 4 voxels of 0.3333 x 2 x 3 mm, unknown directions, first voxel at (10.0, 20.0, 30.0) mm"
    )


def test_angles_of_a_grid():
    assert grid().shear_degrees == pytest.approx(0, abs=1e-6)
    assert grid(turn=0.2).oblique_degrees == pytest.approx(np.degrees(0.2))
    assert grid((2, 0, 1), (1, -1, 1)).oblique_degrees == pytest.approx(0, abs=1e-5)
    sheared = grid().affine
    sheared[0, 1] = 2 * np.tan(0.1)  # j leans by 0.1 towards i
    assert Grid((4, 5, 6), sheared).shear_degrees == pytest.approx(np.degrees(0.1))
    assert Grid((4, 5, 6), sheared).oblique_degrees == pytest.approx(np.degrees(0.1))


def test_the_same_grid_is_so_to_a_tenth_of_a_voxel():
    def moved(by, axis=1):
        affine = grid().affine
        affine[axis, 3] += by
        return Grid((4, 5, 6), affine)

    assert grid().same(grid())
    assert grid().same(moved(0.19))
    assert not grid().same(moved(0.21))
    assert not grid().same(moved(-0.21))
    assert not grid().same(moved(0.11, 0))
    assert not grid().same(grid(shape=(4, 5, 7)))
    assert not grid().same(grid(oriented=False))
    assert grid(oriented=False).same(grid(oriented=False))
    assert not grid().same(grid(spacing=(1, 2.06, 3)))  # 4 rows on, 0.12 voxels


def test_turns_of_a_grid():
    values = np.arange(120).reshape(4, 5, 6)
    turn = grid().turn_to("PIL")
    assert turn == Turn((1, 2, 0), (True, True, True))
    turned = turn.take(values)
    np.testing.assert_array_equal(turned, values.transpose(2, 0, 1)[::-1, ::-1, ::-1])
    np.testing.assert_array_equal(turn.back(turned), values)
    found = turn.grid(grid())
    assert (found.shape, found.axes, found.spacing_mm, found.oriented) == ((6, 4, 5), "PIL", (1, 3, 2), True)
    assert found.affine[:3, 3].tolist() == [15, 28, 39]  # the last voxel is the first
    assert not turn.grid(grid(oriented=False)).oriented
    assert grid().turn_to("RAS") == Turn((0, 1, 2), (False, False, False))
    for wrong in ("RAX", "RLS", "RA", "RASI", ""):
        with pytest.raises(ValueError, match=f"^'{wrong}' are no axes$"):
            grid().turn_to(wrong)


# --- cuts ---


def header(of, flat=False, volumes=1, known=True, remarks=()):
    return VolumeHeader("nifti", of, np.dtype(np.int16), volumes, flat, known, remarks)


def planned(*arguments, **options):
    cut, remarks = _plan("a.nii", header(*arguments, **options))
    return cut, remarks


def test_a_cut_of_a_straight_volume():
    """x 1 mm, y 2 mm, z 3 mm of 6, 5, 4 voxels: 4 x 3 mm high and 5 x 2 mm wide are 6 x 5 px of 2 mm."""
    cut, remarks = planned(grid(), volumes=3, remarks=("first",))
    assert cut == cuts.Cut(0, 2, 1, True, True, 6, (6, 5), Frame((2, 2), "NIfTI", "P", "F"))
    assert remarks == ["first", "the first of 3 volumes was read"]
    assert (cut.is_sagittal, cut.view) == (True, "sagittal")
    values = np.arange(120).reshape(4, 5, 6)
    layers = cut.layers(values)
    np.testing.assert_array_equal(layers, values.transpose(2, 0, 1)[:, ::-1, ::-1])
    assert cut.sized(layers[0]).shape == (6, 5)
    assert cut.sized(np.ones((6, 5), np.int16)).dtype == np.float32
    stored = planned(grid((1, 2, 0), (-1, -1, -1)))[0]  # PIL: as the picture is shown
    assert (stored.axis, stored.row_axis, stored.column_axis, stored.flip_rows, stored.flip_columns) == (
        2, 1, 0, False, False,
    )  # fmt: skip
    np.testing.assert_array_equal(stored.layers(values), values)


def test_a_cut_of_a_volume_without_directions():
    cut, remarks = planned(grid(oriented=False))
    assert cut == cuts.Cut(2, 1, 0, False, False, 4, (5, 6), Frame((2, 1), "NIfTI"))
    assert remarks == ["the header gives no directions: the picture is shown as stored"]
    assert (cut.is_sagittal, cut.view) == (False, "unknown")
    made_up = "a spacing of 1 x 1 mm without directions was not believed: converters make it up"
    flat, ones = (1, 5, 6), (1.0, 1.0, 1.0)
    assert planned(grid(shape=flat, spacing=ones, oriented=False))[1][1:] == [made_up]
    assert planned(grid(shape=flat, spacing=ones, oriented=False))[0].frame == Frame()
    assert planned(grid(shape=(2, 5, 6), spacing=ones, oriented=False))[0].frame == Frame((1, 1), "NIfTI")
    assert planned(grid(shape=flat, spacing=(1, 1.001, 1), oriented=False))[0].frame.spacing_mm == (1.001, 1)
    assert planned(grid(shape=flat, spacing=ones))[0].frame.spacing_mm == (1, 1)


def test_spacings_of_a_cut_that_cannot_be():
    said = "voxel spacing is not plausible and was ignored"
    for of, known in ((grid(), False), (grid(spacing=(1, 2, 1e4)), True), (grid(spacing=(1, 1e-4, 3)), True)):
        cut, remarks = planned(of, known=known)
        assert (cut.frame, remarks) == (Frame(toward_right="P", toward_bottom="F"), [said])
        assert cut.size == (4, 5)
    assert planned(grid(spacing=(1e4, 2, 3)))[1] == []  # across the slices it shows nowhere


def test_cuts_of_flat_volumes():
    """A single slice that is sagittal is turned; one that is not is shown as it is stored, with its letters."""
    assert planned(grid(shape=(4, 5, 1)))[0] == cuts.Cut(
        0, 2, 1, True, True, 1, (6, 5), Frame((2, 2), "NIfTI", "P", "F")
    )
    axial, coronal = planned(grid(shape=(1, 5, 6)))[0], planned(grid(shape=(4, 1, 6)))[0]
    assert axial == cuts.Cut(2, 1, 0, False, False, 1, (5, 6), Frame((2, 1), "NIfTI", "R", "A"))
    assert coronal == cuts.Cut(1, 2, 0, False, False, 1, (4, 6), Frame((3, 1), "NIfTI", "R", "H"))
    assert (axial.view, coronal.view) == ("unknown", "unknown")


def test_cuts_that_lean():
    said = "the volume is 20 degrees oblique: the slice follows its nearest grid plane"
    assert planned(grid(turn=np.radians(20)))[1] == [said]
    assert planned(grid(turn=np.radians(17.9)))[1] == []
    assert planned(grid(turn=np.radians(20), shape=(1, 5, 6)))[1] == []
    for degrees, refused in ((0.99, False), (1.06, True)):
        affine = grid().affine
        affine[0, 1] = 2 * np.tan(np.radians(degrees))
        if not refused:
            assert planned(Grid((4, 5, 6), affine))[1] == []
            continue
        with pytest.raises(InputError) as error:
            planned(Grid((4, 5, 6), affine))
        assert str(error.value) == (
            "a.nii: has sheared axes, 1.1 degrees from right angles (resample it to a straight grid first)"
        )


@pytest.mark.parametrize(
    ("shape", "step", "size"),
    [
        ((10, 20), (1.0, 1.0), (10, 20)),
        ((10, 20), (1.0, 1.009), (10, 20)),
        ((100, 200), (1.0, 1.011), (100, 202)),
        ((10, 20), (2.0, 1.0), (20, 20)),
        ((10, 20), (1.0, 2.5), (10, 50)),
        ((10, 20), (16.0, 1.0), (160, 20)),
        ((10, 20), (17.0, 1.0), (10, 20)),
        ((4000, 20), (8.0, 1.0), (32_000, 20)),
        ((4001, 20), (8.0, 1.0), (4001, 20)),
        ((20, 4001), (1.0, 8.0), (20, 4001)),
    ],
)
def test_pixels_are_made_square(shape, step, size):
    assert _square_size(shape, step) == size


def test_slices_of_a_volume_are_chosen_and_said(tmp_path):
    values = np.zeros((5, 6, 40), np.int16)
    values[4, :, ::4] = 300  # edges from head to feet
    path = write_nifti(tmp_path / "a.nii", sform=(affine_of(spacing=(3, 1, 1)), 1), values=values)
    turned = "shown head up, facing left"
    for choice, slice_, how in (("central", 2, "central"), ("most-spine", 4, "most spine"), (0, 0, "chosen")):
        picture = read_picture(path, slice_choice=choice)
        assert (picture.slice, picture.slices) == (slice_, 5)
        assert picture.remarks[0] == f"sagittal slice {slice_ + 1} of 5 was read ({how}), {turned}"
        assert picture.pixels.max() == (300 if slice_ == 4 else 0)
    with pytest.raises(InputError, match="slice: 6 is not among the 5 there are"):
        read_picture(path, slice_choice=5)
    two = write_nifti(tmp_path / "b.nii", sform=(affine_of(), 1), values=values[3:])
    assert read_picture(two, slice_choice="most-spine").slice == 1
    two = write_nifti(tmp_path / "b.nii", sform=(affine_of(), 1), values=values[[4, 0]])
    assert read_picture(two, slice_choice="most-spine").slice == 1  # of two the central one
    none = write_nifti(tmp_path / "c.nii", values=values)
    picture = read_picture(none, slice_choice="most-spine")
    assert (picture.slice, picture.remarks[1]) == (20, "slice 21 of 40 was read")
    cut, head, remarks = describe_volume(none)
    assert (cut.count, head.dtype, remarks[-1]) == (40, np.int16, "slice 21 of 40 was read")
    assert describe(none)["frames"] == 40


@pytest.mark.parametrize(
    ("air", "tissue", "bone", "found"),
    [
        ((10, -1000), (60, 0), (930, 700), True),
        ((5, -1000), (60, 0), (935, 700), False),  # half a percent is too little
        ((10, -1000), (50, 0), (940, 700), False),  # and so is a twentieth
        ((10, -800), (60, 0), (930, 700), True),
        ((10, -799), (60, 0), (930, 700), False),
        ((10, -8192), (60, 0), (930, 700), True),
        ((10, -8193), (60, 0), (930, 700), False),
        ((10, -1000), (60, 0), (930, 150), True),
        ((10, -1000), (990, 0), (0, 0), False),
        ((10, -1000), (989, 0), (1, 149), False),
        ((10, -1000), (60, -199), (930, 700), True),
        ((10, -1000), (60, -200), (930, 700), False),
        ((10, -1000), (60, 299), (930, 700), True),
        ((10, -1000), (60, 300), (930, 700), False),
    ],
)
def test_hounsfield_units_by_their_shares(air, tissue, bone, found):
    values = np.concatenate([np.full(count, float(value)) for count, value in (air, tissue, bone)])
    assert is_hounsfield(values) == found
    assert is_hounsfield(np.append(values, [np.nan, np.inf])) == found


def test_hounsfield_units_of_a_large_volume():
    """Every second of 400,000: only those at even places are seen."""
    values = np.full(400_000, -5000.0)
    values[::2] = np.resize([-1000.0, 0, 700], 200_000)
    values[1::2] = 1e9
    assert is_hounsfield(values)
    values[1::2] = -1e9
    assert is_hounsfield(values)
    values[::2] = 5
    assert not is_hounsfield(values)


# --- masks on their image ---


def box(of, *spans):
    values = np.zeros(of.shape, np.uint8)
    values[tuple(slice(*span) for span in spans)] = 1
    return Volume(values, of)


def refused(mask, image) -> tuple[str, str, str]:
    with pytest.raises(InputError) as error:
        mask_on(mask, image, "m.nii", "folder/i.nii")
    return error.value.source, error.value.fault, error.value.remedy


def test_masks_that_do_not_fit_their_image():
    image = grid()
    remedy = "write the mask with the geometry of its image"

    def both(mask):
        return f"{mask.described()}; its image i.nii: {image.described()}"

    unknown = grid(oriented=False)
    said = f"has another grid than its image: {both(unknown)}"
    assert refused(box(unknown, (0, 4)), image) == ("m.nii", said, remedy)
    other = Grid((4, 5, 7), unknown.affine, oriented=False)
    assert refused(box(other, (0, 4)), unknown)[1].startswith("has another grid than its image: 7 x 5 x 4")
    for by, far in ((0.9, False), (1.1, True)):  # of a voxel, which is 1 mm along x
        affine = image.affine.copy()
        affine[0, 3] -= by
        moved = Grid(image.shape, affine)
        if far:
            said = f"has the size of its image and lies elsewhere: {both(moved)}"
            assert refused(box(moved, (1, 3)), image) == ("m.nii", said, remedy)
        else:
            np.testing.assert_array_equal(
                mask_on(box(moved, (1, 3), (1, 3), (2, 4)), image, "m", "i"), box(image, (1, 3), (1, 3), (1, 3)).values
            )
    longer = Grid((4, 5, 106), image.affine)
    thin = box(longer, (0, 1), (0, 1), (0, 6))
    thin.values[0, :, :6] = thin.values[1, :, :6] = thin.values[2, :, :6] = thin.values[3, :, :6] = 1
    assert mask_on(thin, image, "m", "i").all()
    thin.values[0, 0, 6] = 1  # one of 121 is outside
    assert mask_on(thin, image, "m", "i").all()
    thin.values[0, 0, 7] = 1  # two of 122
    said = f"has 2% of its foreground outside of its image: {both(longer)}"
    assert refused(thin, image) == ("m.nii", said, remedy)
    assert not mask_on(Volume(np.zeros_like(thin.values), longer), image, "m", "i").any()
    fine = Grid((40, 50, 60), np.diag([0.1, 0.2, 0.3, 1.0]) + np.pad(image.affine[:3, 3:], ((0, 1), (3, 0))))
    lost = box(fine, (3, 4), (3, 4), (3, 4))
    said = f"loses its foreground on the grid of its image: {both(fine)}"
    assert refused(lost, image) == ("m.nii", said, remedy)


def test_what_a_mask_does_not_reach_is_not_marked():
    """A mask of a part of its image, marked up to its own border: beyond it there is nothing."""
    image = grid()
    part = Grid((2, 3, 4), image.affine @ np.block([[np.eye(3), np.ones((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]]))
    found = mask_on(box(part, (0, 2), (0, 3), (0, 4)), image, "m", "i")
    assert found.sum() == 2 * 3 * 4
    assert found[1:3, 1:4, 1:5].all()


def test_values_above_0_are_a_mask():
    image = grid()
    values = np.zeros(image.shape, np.float32)
    values[0, 0, :4] = -1, 0.001, 1, 300
    found = mask_on(Volume(values, image), image, "m", "i")
    assert np.argwhere(found).tolist() == [[0, 0, 1], [0, 0, 2], [0, 0, 3]]
    assert found.dtype == bool
