"""Slices to series, stacks and sections, step by step: order, what parts them, what is said, and where they are cut."""

from __future__ import annotations

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import reformat
from spinetk.images.reformat import Plane, _resample_depth, _sample_rows, mid_sagittal, section_of
from spinetk.images.series import plan
from spinetk.images.stack import central, in_order, said_of_slices, spine_score

AXIAL = ([1.0, 0, 0], [0, 1.0, 0])
SAGITTAL = ([0, 1.0, 0], [0, 0, -1.0])  # their normal points to the right: -x


def plane(place, axes=SAGITTAL, index=0, size=(8, 5), spacing=(1.0, 1.0), scaled=True):
    right, down = (np.array(axis) for axis in axes)
    return Plane(index, right, down, np.array(place, float), spacing, size, scaled)


def along_x(*places, **options):
    return [plane((x, 0, 0), index=k, **options) for k, x in enumerate(places)]


def indices(planes):
    return [one.index for one in planes]


# --- order ---


def test_slices_in_order_of_depth():
    remarks: list[str] = []
    assert indices(in_order(along_x(0, 8, 4), remarks)) == [1, 2, 0]
    assert indices(in_order(along_x(0, 4, 4.01, -4), remarks)) == [2, 0, 3]
    assert remarks.pop() == "1 slice at a place already taken was left out"
    assert indices(in_order(along_x(0, 4, 4.02, -4), remarks)) == [2, 1, 0, 3]
    assert remarks == []
    assert indices(in_order(along_x(0, 4, 8, 14), remarks)) == [3, 2, 1, 0]
    assert remarks == []
    in_order(along_x(0, 4, 8, 14.1, 22), remarks)
    assert remarks.pop() == "1 gap between slices: the largest is 7.9 mm, 5.05 mm is usual"
    in_order(along_x(0, 4, 20), remarks)  # two steps have a middle, and one is more than half above it
    assert remarks.pop() == "1 gap between slices: the largest is 16 mm, 10 mm is usual"
    in_order(along_x(0, 4), remarks)
    assert remarks == []


def test_the_central_slice_is_that_nearest_to_the_middle():
    for places, middle in (((0,), 0), ((4, 0), 1), ((8, 4, 0), 1), ((20, 4, 2, 0), 1), ((30, 28, 26, 0), 2)):
        assert central(along_x(*places)) == middle
    assert central([plane((100 - x, 0, 0)) for x in (0, 4, 8)]) == 1


def test_a_column_of_bodies_has_wide_edges_in_the_middle_third():
    """100 rows of 60 columns: over 3 columns and 1 row, between columns 20 and 40, the mean step down."""
    pixels = np.zeros((100, 60), np.uint16)
    pixels[:, :20] = pixels[:, 40:] = np.arange(100)[:, None] % 2 * 500  # beside the middle third
    assert spine_score(pixels) == 0
    pixels[50:, 20:40] = 99
    assert spine_score(pixels) == pytest.approx(1)
    single = np.zeros((100, 60), np.float32)
    single[:, 30] = np.arange(100) * 20.0  # one column of twenty, blurred over three
    assert spine_score(single) == pytest.approx(1)
    assert spine_score(np.ones((1, 60))) == 0
    assert spine_score(np.array([[0.0], [2.0], [8.0]])) == pytest.approx(4)
    high = np.zeros((200, 30), np.float32)
    high[100] = 2  # blurred over two rows: up by one, level, down by one
    assert spine_score(high) == pytest.approx(2 / 199)


def test_remarks_on_single_slices_are_said_once():
    assert said_of_slices([["a", "b"], ["a", "a"], ["a"]]) == ["a", "b (1 of 3 slices)"]
    assert said_of_slices([[], []]) == []


def test_what_is_shown_of_a_volume():
    three, four = ([plane((0, 0, 4 * k), AXIAL, index=k, scaled=k < 9) for k in range(count)] for count in (3, 4))
    assert plan(three, [])[1] == 1
    assert plan(four, [])[1] is None
    assert plan(along_x(0, 4, 8, 12, 16, scaled=False), [])[1] == 2
    unscaled = [plane((0, 0, 4 * k), AXIAL, index=k, scaled=False) for k in range(4)]
    with pytest.raises(InputError) as error:
        plan(unscaled, [])
    assert str(error.value) == (
        "series: is not sagittal and has no pixel spacing, without which no sagittal picture can be made of it (give "
        "sagittal slices, or files with their PixelSpacing)"
    )
    assert indices(plan(four[::-1], [])[0]) == [0, 1, 2, 3]


# --- sections ---


def axial_stack(count=5, size=(7, 9), spacing=(0.5, 0.25), step=2.0):
    return [plane((-1, 10, 30 + step * k), AXIAL, k, size, spacing) for k in range(count)]


def test_a_section_of_axial_slices():
    """x = 0 in column 4; y from 10 to 13 in steps of 0.5 mm, z from 38 down to 30: 17 rows of 0.5 mm."""
    section = section_of(axial_stack())
    assert not section.turned
    np.testing.assert_allclose(section.across, np.full((5, 7), 4))
    assert section.depths.tolist() == section.even.tolist() == [30, 32, 34, 36, 38]
    np.testing.assert_allclose(section.affine, [[0, 2], [0.5, 0], [10, 30]], atol=1e-9)
    assert (section.step_mm, section.size) == (0.5, (17, 7))
    np.testing.assert_allclose((*section.corner_mm, section.middle_mm), (10, 38, 0), atol=1e-9)
    assert section.frame == Frame((0.5, 0.5), "PixelSpacing", "P", "F")


def test_a_section_of_transposed_slices_and_of_slices_with_a_gap():
    """Columns run to the back, rows to the left: exchanged, their normal points to the feet, and is turned round."""
    turned = [plane((-1, 10, 30 + 2 * k), AXIAL[::-1], k, (9, 7), (0.25, 0.5)) for k in range(5)]
    section = section_of(turned[::-1])
    assert section.turned
    np.testing.assert_allclose(section.across, np.full((5, 7), 4))
    assert section.depths.tolist() == [-38, -36, -34, -32, -30]
    assert (section.step_mm, section.size) == (0.5, (17, 7))
    np.testing.assert_allclose((*section.corner_mm, section.middle_mm), (10, 38, 0), atol=1e-9)
    planes = axial_stack()
    section = section_of([*planes[:2], *planes[4:]])  # 30, 32, 38: the usual step is the median, 4 mm
    assert section.depths.tolist() == [30, 32, 38]
    assert section.even.tolist() == [30, 34, 38]
    assert section.size == (17, 7)
    thin = section_of(axial_stack(step=0.2))
    assert (round(thin.step_mm, 6), thin.size) == (0.2, (5, 16))


def test_a_section_that_is_tilted():
    """Rows lean to the left by 3 of 5 mm: the middle plane is met further to the left in each row."""
    axes = ([0.8, -0.6, 0], [0.6, 0.8, 0])
    planes = [plane((0, 0, 2 * k), axes, k, (5, 11), (1.0, 1.0)) for k in range(4)]
    section = section_of(planes)
    centre = 5 * 0.8 + 2 * 0.6
    assert section.middle_mm == pytest.approx(centre)
    np.testing.assert_allclose(section.across[0], [(centre - 0.6 * row) / 0.8 for row in range(5)])
    backs = [0.8 * row - 0.6 * (centre - 0.6 * row) / 0.8 for row in (0, 4)]
    assert section.corner_mm == pytest.approx((backs[0], 6))
    assert section.size == (7, round(backs[1] - backs[0]) + 1)


def test_sections_that_span_too_far(monkeypatch):
    monkeypatch.setattr(reformat, "MAX_PIXELS", 17 * 7)
    section_of(axial_stack())
    monkeypatch.setattr(reformat, "MAX_SIDE", 17)
    section_of(axial_stack())
    for name, value in (("MAX_SIDE", 16), ("MAX_PIXELS", 17 * 7 - 1)):
        with monkeypatch.context() as limit:
            limit.setattr(reformat, name, value)
            with pytest.raises(InputError) as error:
                section_of(axial_stack())
            assert str(error.value) == "series: spans too far for one picture (give the slices of one region)"


def test_rows_are_sampled_between_their_columns():
    pixels = np.array([[0.0, 10, 30]] * 8)
    across = np.array([-0.6, -0.5, 0, 0.25, 1.5, 2, 2.5, 2.6])
    np.testing.assert_allclose(_sample_rows(pixels, across), [np.nan, -5, 0, 2.5, 20, 30, 40, np.nan])
    assert _sample_rows(np.array([[7.0], [9.0]]), np.array([0, 0.4])).tolist() == [7, 9]


def test_depths_are_sampled_between_their_slices():
    profiles = np.array([[0.0, 1], [10, 1], [40, 1]])
    found = _resample_depth(profiles, np.array([0.0, 1, 4]), np.array([0, 0.5, 1, 2, 4]))
    assert found.tolist() == [[0, 1], [5, 1], [10, 1], [20, 1], [40, 1]]
    assert found.dtype == np.float32


def test_a_picture_cut_out_of_a_stack():
    """Values that rise by 2 a row and 10 a slice; beside the stack, and where a slice is not met, is no picture."""
    planes = axial_stack(count=4, size=(3, 9), spacing=(1.0, 0.25), step=1.0)
    layers = [np.repeat(10.0 * k + 2 * np.arange(3)[:, None], 9, axis=1) for k in range(4)]
    pixels, padding, frame = mid_sagittal(planes, layers)
    np.testing.assert_allclose(pixels, [[30, 32, 34], [20, 22, 24], [10, 12, 14], [0, 2, 4]], atol=1e-4)
    assert padding is None
    assert frame == Frame((1, 1), "PixelSpacing", "P", "F")
    assert pixels.dtype == np.float32
    transposed = [plane((-1, 10, 30 + k), AXIAL[::-1], k, (9, 3), (0.25, 1.0)) for k in range(4)]
    found, padding, _ = mid_sagittal(transposed, [layer.T for layer in layers])
    np.testing.assert_allclose(found, pixels, atol=1e-4)
    assert padding is None
    # The fourth slice lies 4 mm to the left: the middle of the third one is beside it.
    aside = [*planes[:3], plane((3, 10, 33), AXIAL, 3, (3, 9), (1.0, 0.25))]
    found, padding, _ = mid_sagittal(aside, [layer + 5 for layer in layers])
    np.testing.assert_allclose(found, [[5, 5, 5], [25, 27, 29], [15, 17, 19], [5, 7, 9]], atol=1e-4)
    assert padding.tolist() == [[True] * 3] + [[False] * 3] * 3


def test_a_picture_of_a_gantry_that_leans():
    """Each slice of 1 mm lies 1 mm further back: the corners are of no slice and hold the least value."""
    planes = [plane((-1, k, k), AXIAL, k, (3, 9), (1.0, 0.25)) for k in range(4)]
    layers = [np.full((3, 9), 7.0 + k) for k in range(4)]
    pixels, padding, _ = mid_sagittal(planes, layers)
    inside = [[0, 0, 0, 10, 10, 10], [0, 0, 9, 9, 9, 0], [0, 8, 8, 8, 0, 0], [7, 7, 7, 0, 0, 0]]
    np.testing.assert_allclose(pixels, np.where(inside, inside, 7), atol=1e-4)
    np.testing.assert_array_equal(padding, np.equal(inside, 0))
