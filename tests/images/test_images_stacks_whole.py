"""Slices to series, stacks and sections, step by step: order, what parts them, what is said, and where they are cut."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from image_seeds import dicom, enhanced, head, to_bytes
from PIL import Image

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import find_series, read_picture, reformat, series, source
from spinetk.images.headers import open_header
from spinetk.images.picture import Picture, pixel_hash
from spinetk.images.reformat import Plane, _resample_depth, _sample_rows, mid_sagittal, section_of
from spinetk.images.series import frame_series, main_series, pick, plan, said_of_frames, scan
from spinetk.images.stack import central, in_order, said_of_slices, spine_score
from spinetk.images.traits import Slice, _unusual, describe_stacks, read_traits, split
from spinetk.images.window import to_uint8
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA4

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
    assert remarks.pop() == "1 slices at a place already taken were left out"
    assert indices(in_order(along_x(0, 4, 4.02, -4), remarks)) == [2, 1, 0, 3]
    assert remarks == []
    assert indices(in_order(along_x(0, 4, 8, 14), remarks)) == [3, 2, 1, 0]
    assert remarks == []
    in_order(along_x(0, 4, 8, 14.1, 22), remarks)
    assert remarks.pop() == "1 gaps between slices: the largest is 7.9 mm, 5.05 mm is usual"
    in_order(along_x(0, 4, 20), remarks)  # two steps have a middle, and one is more than half above it
    assert remarks.pop() == "1 gaps between slices: the largest is 16 mm, 10 mm is usual"
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


# --- what parts images ---


def entry(place=(0, 0, 0), finer=None, axes=SAGITTAL, size=(8, 5), scaled=True, **traits):
    named = {name.replace("_", " "): value for name, value in traits.items()}
    own = {name: str(value) for name, value in (finer or {}).items()}
    return Slice(plane(place, axes, size=size, scaled=scaled), None, named, own)


def parts(slices):
    """Numbers of the slices of each stack."""
    return [[next(k for k, one in enumerate(slices) if one is member) for member in stack] for stack in split(slices)]


def test_what_is_usual_comes_first():
    """Most first; then slices before projections, originals, magnitude, native, low values by the order of the list."""
    names = ("image type", "echo", "echo time", "time point", "b-value", "tube voltage", "series number")
    usual = {"image type": "ORIGINAL PRIMARY M", "contrast agent": "no"} | dict.fromkeys(names[1:], "5")

    def made(**changed):
        return Slice(plane((0, 0, 0)), None, usual | {k.replace("_", " "): v for k, v in changed.items()}, {})

    ordered = [
        made(station="2"),
        made(station="1", series_number="4"),
        made(series_number="4", echo="9", echo_time="9 ms"),
        made(echo="4", echo_time="9 ms", b_value="9"),
        made(echo_time="4.5 ms"),
        made(),
        made(tube_voltage="50 kV"),
        made(repetition="2"),
        made(contrast_agent="yes", station="9"),
        made(image_type="ORIGINAL PRIMARY PHASE"),
        made(image_type="DERIVED PRIMARY M", contrast_agent="no"),
        made(image_type="ORIGINAL PRIMARY MIP"),
        made(image_type="DERIVED PRIMARY VOLUME_RENDER"),
    ]
    ordered[6].traits["repetition"] = "1"
    ordered[5].traits["repetition"] = "-1"
    ordered[7].traits["tube voltage"] = "50 kV"
    mixed = [ordered[5 * k % 13] for k in range(13)]
    assert [id(one) for one in sorted(mixed, key=_unusual)] == [id(one) for one in ordered]
    # What is at the third place or later of an image type is a part of a complex image, not what is before.
    assert _unusual(entry(image_type="P R M"))[2] is False
    assert _unusual(entry(image_type="ORIGINAL PRIMARY M I"))[2] is True


def test_traits_part_images_wherever_they_lie():
    slices = [entry((k, 0, 0), echo=str(1 + k % 2)) for k in range(5)]
    assert parts(slices) == [[0, 2, 4], [1, 3]]
    slices = [entry((k, 0, 0), echo=str(2 - k % 2)) for k in range(4)]
    assert parts(slices) == [[1, 3], [0, 2]]  # equally many: the lower echo first


def test_finer_traits_part_images_of_one_place_only():
    apart = [entry((k, 0, 0), {"flip angle": k % 2, "instance": k}) for k in range(4)]
    assert parts(apart) == [[0, 1, 2, 3]]
    one_place = [entry((k // 2, 0, 0), {"flip angle": k % 2, "instance": k}) for k in range(4)]
    assert parts(one_place) == [[0, 2], [1, 3]]
    # Where parting leaves as many at one place it is of no use.
    useless = [entry((k // 2, 0, 0), {"trigger time": k // 2}) for k in range(4)]
    assert parts(useless) == [[0, 1, 2, 3]]
    nearly = [entry((0.004 * (k % 2) + k // 2, 0, 0), {"flip angle": k % 2}) for k in range(4)]
    assert parts(nearly) == [[0, 2], [1, 3]]  # places are told apart to 0.01 mm
    beside = [entry((0.02 * (k % 2) + k // 2, 0, 0), {"flip angle": k % 2}) for k in range(4)]
    assert parts(beside) == [[0, 1, 2, 3]]


def test_images_alike_are_parted_by_their_numbers():
    slices = [entry((k % 3, 0, 0), {"instance": f"{9 - k:02}"}) for k in range(6)]
    assert parts(slices) == [[5, 4, 3], [2, 1, 0]]
    assert [one.traits for one in slices] == [{"repetition": "2"}] * 3 + [{"repetition": "1"}] * 3
    for alike in (
        [entry((k % 3, 0, 0), {"instance": f"{k:02}"}) for k in range(5)],  # not equally many at each place
        [entry((k % 3, 0, 0), {"instance": f"{k % 3:02}"}) for k in range(6)],  # copies
        [entry((0, 0, 0), {"instance": f"{k:02}"}) for k in range(6)],  # one place
        [entry((k, 0, 0), {"instance": f"{k:02}"}) for k in range(6)],
    ):
        assert parts(alike) == [list(range(len(alike)))]
        assert not any(one.traits for one in alike)


def test_stations_lie_a_quarter_of_the_picture_apart():
    """8 rows and 5 columns of 1 mm: 1.25 mm; the lowest comes first."""

    def at(*places, **options):
        return [entry(place, **options) for place in places]

    two = at((0, 0, 0), (4, 0, 0), (0, 0, 1.26), (4, 0, 1.26))
    assert parts(two) == [[0, 1], [2, 3]]
    assert [one.traits["station"] for one in two] == ["2", "2", "1", "1"]
    low = at((0, 0, 0), (4, 0, 0), (0, 0, -50), (4, 0, -50))
    assert parts(low) == [[2, 3], [0, 1]]
    assert [one.traits["station"] for one in low] == ["1", "1", "2", "2"]
    assert parts(at((0, 0, 0), (4, 0, 0), (0, 0, 1.24), (4, 0, 1.24))) == [[0, 1, 2, 3]]
    aside = at((0, 0, 0), (4, 0, 0), (0, 1.3, 0), (4, 1.3, 0))
    assert len(parts(aside)) == 2
    # A gantry that leans moves on from slice to slice; what is at other depths is no other station.
    assert parts(at((0, 0, 0), (4, 0, 1), (8, 0, 2), (12, 0, 3))) == [[0, 1, 2, 3]]
    assert parts(at((0, 0, 0), (4, 0, 0), (8, 0, 50), (12, 0, 50))) == [[0, 1, 2, 3]]
    assert len(parts(at((0, 0, 0), (4, 0, 0), (4, 0, 50), (12, 0, 50)))) == 2
    assert len(parts(at((0, 0, 0), (4, 0, 0), (0, 0, 50), (4, 0, 50), (0, 0, 99), (4, 0, 99)))) == 3
    for options in ({"scaled": False}, {"size": (0, 5)}):
        assert parts(at((0, 0, 0), (4, 0, 0), (0, 0, 50), (4, 0, 50), **options)) == [[0, 1, 2, 3]]


def test_stacks_in_words():
    axial, coronal = ([1.0, 0, 0], [0, 1.0, 0]), ([1.0, 0, 0], [0, 0, -1.0])
    assert describe_stacks(
        [
            [entry(echo="1", kernel="A", finer={"flip angle": 5, "instance": k}) for k in range(2)],
            [entry(axes=axial, echo="2", kernel="A", finer={"flip angle": k}) for k in (5, 6)],
            [entry(axes=coronal, size=(3, 4), kernel="A", finer={"gradient": "0 0 1"})],
        ]
    ) == [
        "2 sagittal slices of 5 x 8 px, flip angle 5, echo 1",
        "2 axial slices of 5 x 8 px, echo 2",
        "1 coronal slice of 4 x 3 px, gradient 0 0 1",
    ]
    assert describe_stacks([[entry(echo="1")]]) == ["1 sagittal slice of 5 x 8 px"]


@pytest.mark.filterwarnings("ignore:.*VR ")
def test_traits_that_are_plain_words_only():
    assert read_traits(head(ImageType=["ORIGINAL", "", "J\xf6rg"]), 0)[0] == {
        "image type": "ORIGINAL", "contrast agent": "no",
    }  # fmt: skip
    assert "image type" not in read_traits(head(ImageType=[""]), 0)[0]
    assert "kernel" not in read_traits(head(ConvolutionKernel="J\xf6rg"), 0)[0]
    assert read_traits(head(ConvolutionKernel="b30_f.1 -"), 0)[0]["kernel"] == "B30_F.1 -"
    frame = head(FrameType=["ORIGINAL", "PRIMARY"], VolumeBasedCalculationTechnique="MAX_IP")
    frame.ComplexImageComponent = "MIXED"
    for macro in ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence"):
        shared = head(**{macro: [frame]})
        ds = head(SharedFunctionalGroupsSequence=[shared], ImageType=["DERIVED"])
        assert read_traits(ds, 0)[0]["image type"] == "ORIGINAL PRIMARY MIXED MAX_IP"
        frame.VolumeBasedCalculationTechnique = "NONE"
        assert read_traits(ds, 0)[0]["image type"] == "ORIGINAL PRIMARY MIXED"
        del frame.FrameType
        frame.VolumeBasedCalculationTechnique = "DERIVED"
        assert read_traits(ds, 0)[0]["image type"] == "DERIVED MIXED"
        frame.FrameType, frame.VolumeBasedCalculationTechnique = ["ORIGINAL", "PRIMARY"], "MAX_IP"
    content = head(DimensionIndexValues=[7, 8, 9, 10])
    ds = head(
        PerFrameFunctionalGroupsSequence=[head(FrameContentSequence=[content])],
        DimensionIndexSequence=[head(DimensionIndexPointer=p) for p in (0x00209056, 0x00189082, 0x00189074)],
        InstanceNumber=17,
    )
    assert read_traits(ds, 0)[1] == {"dimension 2": "8", "instance": "000000000"}


# --- series ---


def save(path: Path, ds):
    path.write_bytes(to_bytes(ds))
    return path


def saved(folder, name, place, axes=SAGITTAL, size=(8, 5), level=0, **tags):
    tags = {"Modality": "MR", "PixelSpacing": [1, 1], "SOPInstanceUID": f"1.2.{name}"} | tags
    pixels = np.full(size, level, np.uint16)
    cosines = {"ImageOrientationPatient": [*axes[0], *axes[1]], "ImagePositionPatient": list(place)}
    return save(folder / name, dicom(pixels, **cosines, **tags))


def test_a_folder_by_series(tmp_path):
    """Five sagittal slices come before six axial ones, four do not; a slice alone is no series."""
    for k in range(6):
        saved(tmp_path, f"a{k}", (0, 0, 4 * k), AXIAL)
    for k in range(4):
        saved(tmp_path, f"s{k}", (4 * k, 0, 0))
    saved(tmp_path, "alone", (0, 0, 0), size=(9, 9))
    (tmp_path / "notes").write_text("no picture, and no header")
    (tmp_path / "empty").write_bytes(b"")
    groups, others = scan(tmp_path)
    assert others == []
    assert [[one.path.name for one in group] for group in groups.values()] == [
        [f"a{k}" for k in range(6)], [f"s{k}" for k in range(4)],
    ]  # fmt: skip
    assert [len(key) for key in groups] == [12, 12]
    assert find_series(tmp_path) == {key: [one.path for one in group] for key, group in groups.items()}
    saved(tmp_path, "s4", (16, 0, 0))
    groups, _ = scan(tmp_path)
    assert [len(group) for group in groups.values()] == [5, 6]
    key, slices, remarks = main_series(tmp_path, 2)
    assert (key, len(slices)) == (list(groups)[1], 6)
    assert remarks == [
        "series 2 of 2 was read (6 axial slices of 5 x 8 px), not 1: 5 sagittal slices of 5 x 8 px (--series chooses)"
    ]
    assert pick(groups, key, "a", "choose")[2] == [remarks[0].replace("--series chooses", "choose")]
    first = groups[next(iter(groups))][0]
    assert first.plane.size == (8, 5)
    assert first.plane.spacing_mm == (1, 1)
    assert first.plane.scaled
    assert first.plane.position.tolist() == [0, 0, 0]


def test_series_that_are_not_there(tmp_path):
    saved(tmp_path, "a", (0, 0, 0))
    saved(tmp_path, "b", (4, 0, 0))
    groups, _ = scan(tmp_path)
    for asked in (0, 2, -1, "2", "x", 1.5):
        with pytest.raises(InputError) as error:
            pick(groups, asked, "folder")
        assert str(error.value) == (f"folder: has no series {asked} among its 1 (see `spinetk info` for their numbers)")
    for asked in (None, 1, "1", next(iter(groups))):
        assert pick(groups, asked, "folder") == (next(iter(groups)), groups[next(iter(groups))], [])
    with pytest.raises(InputError) as error:
        pick({}, None, "folder")
    assert str(error.value) == ("folder: is a folder without a DICOM series (give its pictures themselves: FOLDER/*)")
    assert said_of_frames(0) == []
    assert said_of_frames(1) == [
        "1 DICOM file of several frames was left out of the folder's series: give such a file by its name"
    ]
    assert said_of_frames(2) == [
        "2 DICOM files of several frames were left out of the folder's series: give such a file by its name"
    ]


def test_folders_of_too_many_files(tmp_path, monkeypatch):
    for k in range(3):
        saved(tmp_path, str(k), (k, 0, 0))
    monkeypatch.setattr(series, "MAX_SLICES", 3)
    assert [len(group) for group in scan(tmp_path)[0].values()] == [3]
    monkeypatch.setattr(series, "MAX_SLICES", 2)
    with pytest.raises(InputError) as error:
        scan(tmp_path)
    assert str(error.value) == f"{tmp_path}: holds more than 2 DICOM files (give one series at a time)"


def test_files_that_belong_to_no_series(tmp_path):
    for k in range(2):
        saved(tmp_path, f"a{k}", (4 * k, 0, 0))
    for name, changed in (("rows", "Rows"), ("pixels", "PixelData"), ("place", "ImagePositionPatient"),
                          ("axes", "ImageOrientationPatient")):  # fmt: skip
        path = saved(tmp_path, name, (8, 0, 0))
        ds = pydicom.dcmread(path)
        delattr(ds, changed)
        save(path, ds)
    frames = np.zeros((3, 8, 5), np.uint16)
    save(tmp_path / "frames", dicom(frames, frames=3))
    save(tmp_path / "mask", dicom(frames, frames=3, Modality="SEG"))
    save(tmp_path / "dose", dicom(frames, frames=3, Modality="RTDOSE"))
    groups, others = scan(tmp_path)
    assert [[one.path.name for one in group] for group in groups.values()] == [["a0", "a1"]]
    assert others == [tmp_path / "frames"]


@pytest.mark.parametrize(
    ("first", "second", "stacks"),
    [
        ([0.5, 0.5], [0.504, 0.5], 1),
        ([0.5, 0.5], [0.506, 0.5], 2),
        ([0.5, 0.5], [0.5, 0.506], 2),
        ([0.5, 0.5], None, 2),
        (None, None, 1),
    ],
)
def test_pixel_spacings_of_one_stack(tmp_path, first, second, stacks):
    for k in range(4):
        spacing = first if k < 2 else second
        ds = dicom(np.zeros((8, 5), np.uint16), Modality="MR", ImagePositionPatient=[4 * k, 0, 0],
                   ImageOrientationPatient=[0, 1, 0, 0, 0, -1])  # fmt: skip
        if spacing is not None:
            ds.PixelSpacing = spacing
        save(tmp_path / str(k), ds)
    groups, _ = scan(tmp_path)
    assert len(groups) == stacks
    found = [group[0].traits.get("pixel spacing") for group in groups.values()]
    names = [None if s is None else f"{s[0]:.3g} x {s[1]:.3g} mm" for s in (first, second)]
    assert found == ([None] if stacks == 1 else [name or "unknown" for name in names])
    assert [group[0].plane.scaled for group in groups.values()] == [s is not None for s in (first, second)][:stacks]


@pytest.mark.parametrize(("turn", "stacks"), [(0.049, 1), (0.051, 2)])
def test_directions_of_one_stack(tmp_path, turn, stacks):
    for k in range(4):
        lean = turn if k > 1 else 0
        saved(tmp_path, str(k), (4 * k, 0, 0), ([lean, 1.0, 0], [0, 0, -1.0]))
    groups, _ = scan(tmp_path)
    assert len(groups) == stacks


def test_frames_that_are_no_volume(tmp_path):
    frames = np.arange(4, dtype=np.uint16)[:, None, None] * np.ones((1, 8, 5), np.uint16)
    ds = enhanced(frames, *SAGITTAL, [0, 0, 0], [1, 1])
    header = open_header(save(tmp_path / "a.dcm", ds))
    with header.stream:
        assert frame_series(header) == {}  # all at one place
    picture = read_picture(tmp_path / "a.dcm")
    assert picture.remarks == ("frame 3 of 4 was read, counted by number, not by place",)
    assert (picture.slices, picture.slice, picture.pixels[0, 0], picture.series) == (4, 2, 2, None)
    ds = enhanced(frames, *SAGITTAL, [3, 0, 0], [1, 1])
    del ds.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
    header = open_header(save(tmp_path / "a.dcm", ds))
    with header.stream:
        assert frame_series(header) == {}
    ds = enhanced(frames, *SAGITTAL, [0, 0, 0], [1, 1])
    for k, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        group.MREchoSequence = [head(EffectiveEchoTime=10.0 * (1 + k % 2))]
    header = open_header(save(tmp_path / "a.dcm", ds))
    with header.stream:
        groups = frame_series(header)
    assert [[one.plane.index for one in group] for group in groups.values()] == [[0, 2], [1, 3]]
    assert all(one.path is None for group in groups.values() for one in group)
    with pytest.raises(InputError) as error:
        read_picture(tmp_path / "a.dcm", series=3)
    assert str(error.value) == (
        f"{tmp_path / 'a.dcm'}: has no series 3 among its 2 (see `spinetk info` for their numbers)"
    )


def test_a_reformation_whole(tmp_path):
    """Two of six slices have padding, all are inverted; the picture is none of them."""
    for k in range(6):
        tags = {"Modality": "CT", "PhotometricInterpretation": "MONOCHROME1", "BitsStored": 8, "HighBit": 7}
        pixels = np.full((6, 5), 10 * k, np.uint16)
        if k in (2, 3):
            pixels[0, 0], tags["PixelPaddingValue"] = 200, 200
        cosines = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, k]}
        save(tmp_path / f"{k}.dcm", dicom(pixels, PixelSpacing=[1, 1], BodyPartExamined="LSPINE", **cosines, **tags))
    picture = read_picture(tmp_path)
    assert picture.remarks == (
        "the grey scale is stored inverted and was inverted back",
        "padding was taken for the lowest of the other values (2 of 6 slices)",
        "mid-sagittal reformation of 6 slices at 1 mm",
    )
    np.testing.assert_allclose(picture.pixels, np.repeat(255 - np.arange(50.0, -1, -10)[:, None], 6, axis=1), atol=1e-3)
    assert (picture.inverted, picture.padding, picture.view, picture.body_part) == (False, None, "sagittal", "LSPINE")
    assert (picture.slices, picture.slice, picture.modality, picture.kind) == (1, 0, "CT", "series")
    for choice in (0, "central", "most-spine"):
        np.testing.assert_array_equal(read_picture(tmp_path, slice_choice=choice).pixels, picture.pixels)
    with pytest.raises(InputError, match="slice: 2 is not among the 1 there are"):
        read_picture(tmp_path, slice_choice=1)
    with pytest.raises(InputError) as error:
        source.dicom_source(tmp_path)
    assert error.value.source == str(tmp_path)
    section = source.stored_or_section(tmp_path)
    assert section.size == (6, 6)
    assert section.step_mm == 1


def test_the_stored_picture_that_was_read(tmp_path):
    for k in range(5):
        saved(tmp_path, f"{k}.dcm", (4 * k, 0, 0), level=k)
    assert source.dicom_source(tmp_path) == (tmp_path / "2.dcm", None)
    assert source.dicom_source(tmp_path, 0) == (tmp_path / "4.dcm", None)  # counted along the normal
    assert source.dicom_source(str(tmp_path), 4) == (tmp_path / "0.dcm", None)
    assert source.dicom_source(tmp_path / "3.dcm") == (tmp_path / "3.dcm", None)
    for place in (5, -1):
        with pytest.raises(InputError) as error:
            source.dicom_source(tmp_path, place)
        assert str(error.value) == f"{tmp_path}: has no slice {place + 1} any more (read it again)"
    frames = np.zeros((5, 8, 5), np.uint16)
    path = save(tmp_path / "frames", dicom(frames, frames=5))
    assert source.dicom_source(path) == (path, 2)
    assert source.dicom_source(path, 4) == (path, 4)
    path = save(tmp_path / "volume", enhanced(frames, *SAGITTAL, [3, 0, 0], [1, 1]))
    assert source.dicom_source(path) == (path, 2)
    assert source.dicom_source(path, 0) == (path, 4)
    assert source.dicom_source(path, series=1) == (path, 2)


def test_a_picture_is_known_again_by_its_pixels(tmp_path):
    """SHA-256 of the shape and the bytes, row after row."""
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    digest = hashlib.sha256(b"(2, 3)" + bytes(range(6))).hexdigest()
    assert pixel_hash(grey) == pixel_hash(np.asfortranarray(grey)) == digest
    assert pixel_hash(grey.reshape(3, 2)) != digest
    picture = Picture(grey.astype(np.float32), stored_sha256="d")
    for known, stored, same in (
        (None, None, True), (digest, None, True), ("", None, False), (digest.upper(), None, False), ("", "d", True),
        ("", "e", False), (digest, "e", True),
    ):  # fmt: skip
        about = Reading("a", 2, 3, VERTEBRA4, pixels_sha256=known, stored_sha256=stored)
        assert source.is_same(picture, grey, about) == same
    assert not source.is_same(Picture(grey.astype(np.float32)), grey, Reading("a", 2, 3, VERTEBRA4, pixels_sha256=""))
    path = tmp_path / "a.png"
    Image.fromarray(grey).save(path)
    window = to_uint8(grey)
    for known, height, refused in ((None, 2, False), (pixel_hash(window), 2, False), ("x", 3, False), ("x", 2, True)):
        reading = Reading(str(path), height, 3, VERTEBRA4, pixels_sha256=known)
        if refused:
            with pytest.raises(InputError) as error:
                source.seen_of(reading)
            assert str(error.value) == (
                f"{path}: is not the picture that was read: its pixels differ (put that one back, or predict again)"
            )
        else:
            picture, seen = source.seen_of(reading)
            assert (picture.pixels == grey).all()
            np.testing.assert_array_equal(seen, window)
