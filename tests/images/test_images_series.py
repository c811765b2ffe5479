"""Series folders and volumes: order, gaps, choice of slice, reformation, NIfTI and NRRD orientation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from image_seeds import dicom, enhanced, to_bytes, truth
from pydicom.dataset import Dataset

from spinetk.errors import InputError
from spinetk.images import find_series, read_picture
from spinetk.images.info import describe, render
from spinetk.images.source import dicom_source, picture_of, source_of
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

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
    read = "series 1 of 2 was read (6 sagittal slices of 20 x 24 px)"
    assert f"{read}, not 2: 2 axial slices of 20 x 24 px (--series chooses)" in remarks
    assert "1 slice at a place already taken was left out" in remarks
    assert "1 gap between slices: the largest is 9 mm, 3 mm is usual" in remarks


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
    assert picture.remarks[0].startswith("series 1 of 3 was read (5 sagittal slices of 24 x 20 px), not 2: 9 axial")
    assert read_picture(tmp_path / "more", series=3).pixels.shape == (18, 20)
    assert [len(files) for files in find_series(tmp_path / "more").values()] == [5, 9, 3]


WOVEN = {
    "echo": ({"EchoNumbers": 1, "EchoTime": 20}, {"EchoNumbers": 2, "EchoTime": 90}, "echo 2, echo time 90 ms"),
    "magnitude and phase": (
        {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]},
        "image type ORIGINAL PRIMARY P ND",
    ),
    "time point": ({"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}, "time point 2"),
    "contrast agent": ({}, {"ContrastBolusAgent": "PLANTED Zyxwvut"}, "contrast agent yes"),
    "b-value": ({"DiffusionBValue": 0.0}, {"DiffusionBValue": 800.0}, "b-value 800 s/mm2"),
    "inversion time": ({"InversionTime": 100}, {"InversionTime": 2500}, "inversion time 2500 ms"),
    "flip angle": ({"FlipAngle": 3}, {"FlipAngle": 20}, "flip angle 20 degrees"),
    "number alone": ({}, {}, "repetition 2"),
}


@pytest.mark.parametrize("name", WOVEN)
def test_images_of_one_place_are_told_apart(tmp_path, name):
    """One series, one set of places, two contrasts: one is read whole, the other is named and can be chosen."""
    first, second, words = WOVEN[name]
    slices = []
    for k in range(5):
        for number, tags in enumerate((first, second)):
            pixels = truth().astype(np.uint16) + 40 * k + 4000 * number
            slices.append((pixels, (4.0 * k, 0, 0), {**SAGITTAL, **tags, "InstanceNumber": 1 + 5 * number + k}))
    write_slices(tmp_path, slices)
    for series, level in ((None, 0), (1, 0), (2, 4000)):
        picture = read_picture(tmp_path, series=series)
        np.testing.assert_array_equal(picture.pixels, truth() + 40 * 2 + level)
        assert picture.slices == 5
        assert not any("already taken" in remark for remark in picture.remarks)
    assert read_picture(tmp_path, series=picture.series).pixels.max() > 4000
    remark = read_picture(tmp_path).remarks[0]
    assert remark.startswith("series 1 of 2 was read (5 sagittal slices")
    assert words in remark
    assert not {"PLANTED", "Zyxwvut"} & set(remark.split())
    content = describe(tmp_path)
    assert len(content["series"]) == 2
    assert words in content["series"][1]["what"]
    assert content["series"][1]["what"] in render(content)
    file, _ = dicom_source(tmp_path, series=2)
    np.testing.assert_array_equal(read_picture(file).pixels, truth() + 40 * 2 + 4000)
    with pytest.raises(InputError, match="no series 3 among its 2"):
        read_picture(tmp_path, series=3)


def test_traits_that_differ_from_slice_to_slice_do_not_part_a_volume(tmp_path):
    """Slices acquired in two packages: acquisition numbers and trigger times alternate, no two slices share a place."""
    pixels = truth().astype(np.uint16)
    tags = [{**SAGITTAL, "AcquisitionNumber": k % 2 + 1, "TriggerTime": 40 * k} for k in range(7)]
    write_slices(tmp_path, [(pixels, (4.0 * k, 0, 0), own) for k, own in enumerate(tags)])
    picture = read_picture(tmp_path)
    assert picture.slices == 7
    assert not any("series" in remark for remark in picture.remarks)


def test_a_copy_of_a_file_is_no_repetition(tmp_path):
    slices = [(truth().astype(np.uint16), (4.0 * k, 0, 0), {**SAGITTAL, "InstanceNumber": k}) for k in range(5)]
    write_slices(tmp_path, [*slices, *slices])
    picture = read_picture(tmp_path)
    assert picture.slices == 5
    assert "5 slices at places already taken were left out" in picture.remarks


def woven_frames(kind: str):
    """An enhanced object of 5 places and two kinds of frames, alternating."""
    stack = np.stack([truth() + 40 * (k // 2) + 4000 * (k % 2) for k in range(10)]).astype(np.uint16)
    ds = enhanced(stack, [0, 1, 0], [0, 0, -1], [4, 0, 0], [0.7, 0.7])
    pointers = {"InStackPositionNumber": 0x00209057, "EffectiveEchoTime": 0x00189082}
    if kind == "dimension":
        ds.DimensionIndexSequence = [Dataset() for _ in pointers]
        for item, pointer in zip(ds.DimensionIndexSequence, pointers.values(), strict=True):
            item.DimensionIndexPointer = pointer
    for k, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        group.PlanePositionSequence[0].ImagePositionPatient = [4.0 * (k // 2), 0, 0]
        group.FrameContentSequence = [Dataset()]
        if kind == "dimension":
            group.FrameContentSequence[0].DimensionIndexValues = [k // 2 + 1, k % 2 + 1]
        elif kind == "time":
            group.FrameContentSequence[0].TemporalPositionIndex = k % 2 + 1
        elif kind == "echo":
            group.MREchoSequence = [Dataset()]
            group.MREchoSequence[0].EffectiveEchoTime = 10.0 + 80 * (k % 2)
        elif kind == "b-value":
            group.MRDiffusionSequence = [Dataset()]
            group.MRDiffusionSequence[0].DiffusionBValue = 500.0 * (k % 2)
        else:
            group.MRImageFrameTypeSequence = [Dataset()]
            group.MRImageFrameTypeSequence[0].FrameType = ["ORIGINAL", "PRIMARY", "ANY", "NONE"]
            group.MRImageFrameTypeSequence[0].ComplexImageComponent = ("MAGNITUDE", "PHASE")[k % 2]
    return ds


@pytest.mark.parametrize("kind", ["echo", "time", "b-value", "component", "dimension"])
def test_frames_of_one_place_are_told_apart(tmp_path, kind):
    path = tmp_path / "frames.dcm"
    path.write_bytes(to_bytes(woven_frames(kind)))
    for series, level in ((None, 0), (2, 4000)):
        picture = read_picture(path, series=series)
        np.testing.assert_array_equal(picture.pixels, truth() + 40 * 2 + level)
        assert picture.slices == 5
    assert read_picture(path).remarks[0].startswith("series 1 of 2 was read (5 sagittal slices")
    assert dicom_source(path, 4, series=2) == (path, 1)  # slices are counted along the normal, here toward the right
    assert len(describe(path)["series"]) == 2


def test_most_spine_finds_the_slice_with_the_column(tmp_path):
    pixels = [np.full((96, 80), 300, np.uint16) for _ in range(7)]
    for top in range(4, 90, 16):
        pixels[5][top : top + 10, 30:50] = 900
    write_slices(tmp_path, [(pixels[k], (4.0 * k, 0, 0), SAGITTAL) for k in range(7)])
    assert read_picture(tmp_path).pixels.max() == 300
    assert read_picture(tmp_path, slice_choice="most-spine").pixels.max() == 900


def test_what_is_said_of_one_frame_is_not_said_of_the_others(tmp_path):
    """To choose among frames all are decoded: what was decided about each is a remark on that one, once."""
    pixels = np.full((7, 96, 80), 300, np.uint16)
    for top in range(4, 90, 16):
        pixels[5][top : top + 10, 30:50] = 900
    ds = enhanced(pixels, [0, 1, 0], [0, 0, -1], [4, 0, 0], [0.7, 0.7])
    ds.BitsStored, ds.HighBit = 12, 11
    path = tmp_path / "frames.dcm"
    for odd, count in ((2, 0), (5, 1)):
        pixels[odd, 0, 0] = 0x9000
        ds.PixelData = pixels.tobytes()
        path.write_bytes(to_bytes(ds))
        picture = read_picture(path, slice_choice="most-spine")
        assert picture.pixels.max() == 900
        assert sum("more than the 12 bits" in remark for remark in picture.remarks) == count


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


def axial_slices(spacings):
    """Axial slices 4 mm apart with these pixel spacings, None for none."""
    tags = [AXIAL if mm is None else AXIAL | {"PixelSpacing": [mm, mm]} for mm in spacings]
    return [(truth().astype(np.uint16), (0, 0, 4.0 * k), own) for k, own in enumerate(tags)]


def test_a_reformation_of_slices_without_a_spacing_is_refused(tmp_path):
    """One mm would have been made up: every height in mm would be wrong."""
    write_slices(tmp_path, axial_slices([None] * 6))
    with pytest.raises(InputError, match="no pixel spacing"):
        read_picture(tmp_path)
    content = describe(tmp_path)
    assert not content["readable"]
    assert any("no pixel spacing" in warning for warning in content["warnings"])


@pytest.mark.parametrize("other", [0.4, None])
def test_slices_of_another_pixel_spacing_are_another_stack(tmp_path, other):
    write_slices(tmp_path, axial_slices([0.8] * 8 + [other] * 5))
    picture = read_picture(tmp_path)
    assert picture.frame.spacing_mm == (0.8, 0.8)
    assert picture.pixels.shape[0] == round(7 * 4 / 0.8) + 1  # of the eight alone
    assert picture.remarks[0].startswith("series 1 of 2 was read (8 axial slices")
    assert f"pixel spacing {'unknown' if other is None else '0.4 x 0.4 mm'}" in picture.remarks[0]


def test_two_roundings_of_one_pixel_spacing_are_one_stack(tmp_path):
    write_slices(tmp_path, axial_slices([0.8, 0.80004] * 4))
    assert read_picture(tmp_path).remarks == ("mid-sagittal reformation of 8 slices at 0.8 mm",)


def test_folder_without_a_series_is_refused(tmp_path):
    with pytest.raises(InputError, match="without a DICOM series"):
        read_picture(tmp_path)


def test_a_result_leads_back_to_the_slice_and_series_it_was_read_from(tmp_path):
    slices = [
        (truth().astype(np.uint16) + 40 * k + 4000 * echo, (4.0 * k, 0, 0), {**SAGITTAL, "EchoNumbers": echo})
        for k in range(5)
        for echo in (1, 2)
    ]
    write_slices(tmp_path, slices)
    picture = read_picture(tmp_path, slice_choice=4, series=2)
    reading = Reading(str(tmp_path), 24, 20, VERTEBRA6, slice=picture.slice, series=picture.series)
    back = Reading.from_json(json.loads(json.dumps(reading.to_json())))
    assert (back.slice, back.series) == (4, picture.series)
    np.testing.assert_array_equal(picture_of(back).pixels, picture.pixels)
    file, frame = source_of(back)
    assert frame is None
    np.testing.assert_array_equal(read_picture(file).pixels, picture.pixels)
    back.slice = 7
    with pytest.raises(InputError, match="no slice 8 any more"):
        source_of(back)


@pytest.mark.parametrize("given", [None, (3.0, 3.0)])
def test_a_spacing_given_for_a_reformation_is_said_not_to_count(tmp_path, given):
    places = [(0, 0, 2.0 * k) for k in range(8)]
    slices = [(grid(at, [1, 0, 0], [0, 1, 0], (1, 1), (30, 21)), at, AXIAL | {"PixelSpacing": [1, 1]}) for at in places]
    write_slices(tmp_path, slices)
    picture = read_picture(tmp_path, spacing_mm=given)
    assert picture.frame.spacing_mm == pytest.approx((1, 1))
    said = "the spacing given was not used: a reformation has that of the volume"
    assert (said in picture.remarks) == (given is not None)


def test_a_result_names_its_picture_as_the_user_did(tmp_path, monkeypatch):
    """From another folder it is not found, and where to go is said; a whole path needs no such word."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.dcm").write_bytes(to_bytes(dicom()))
    reading = Reading("a.dcm", 24, 20, VERTEBRA6)
    monkeypatch.chdir(tmp_path / "below")
    assert picture_of(reading).height == 24
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"from this folder \(run spinetk in the folder where the result was made"):
        picture_of(reading)
    with pytest.raises(InputError, match=r"be reached \(check the path"):
        picture_of(Reading(str(tmp_path / "a.dcm"), 24, 20, VERTEBRA6))


def test_a_series_asked_of_what_holds_one_is_said(tmp_path):
    """A number other than 1 is not dropped without a word, whatever the file; of several series it is one of them."""
    import cv2
    import nibabel
    import nrrd

    values = np.arange(20 * 22 * 24, dtype=np.int16).reshape(20, 22, 24)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "a.nii.gz")
    nrrd.write(str(tmp_path / "a.nrrd"), values)
    cv2.imwrite(str(tmp_path / "a.png"), truth().astype(np.uint8))
    (tmp_path / "a.dcm").write_bytes(to_bytes(dicom(truth().astype(np.uint16))))
    for name in ("a.nii.gz", "a.nrrd", "a.png", "a.dcm"):
        plain = read_picture(tmp_path / name)
        for series, said in ((1, 0), ("1", 0), (2, 1), ("2", 1), ("0123456789ab", 1)):
            asked = read_picture(tmp_path / name, series=series)
            words = f"series {series} was asked for, but this file holds no several series: it was read as it is"
            assert list(asked.remarks).count(words) == said, (name, series)
            np.testing.assert_array_equal(asked.pixels, plain.pixels)
