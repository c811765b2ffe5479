"""Enhanced MR and CT objects, and folders that hold them: which frames are one stack, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from image_seeds import dicom, enhanced, to_bytes, truth
from pydicom.dataset import Dataset

from spinetk.errors import InputError
from spinetk.images import read_picture
from spinetk.images.dicom_volume import volume_of_series
from spinetk.images.display import to_display
from spinetk.images.find import find_volumes
from spinetk.images.source import dicom_source
from spinetk.images.traits import STATION

RIGHT, DOWN = [0, 1, 0], [0, 0, -1]
SIZE, SPACING = (24, 20), 0.7
SHOWN = truth()


def flat(levels):
    """Frames of one value each, by which they are known again."""
    return np.stack([np.full(SIZE, level, np.uint16) for level in levels])


def placed(levels, places, spacing=(SPACING, SPACING)):
    """A sagittal object whose frames lie at these places (mm)."""
    ds = enhanced(flat(levels), RIGHT, DOWN, [0, 0, 0], list(spacing))
    for group, place in zip(ds.PerFrameFunctionalGroupsSequence, places, strict=True):
        group.PlanePositionSequence[0].ImagePositionPatient = [float(v) for v in place]
    return ds


@pytest.fixture
def read(tmp_path):
    def read(ds, **options):
        path = tmp_path / "frames.dcm"
        path.write_bytes(to_bytes(ds))
        return read_picture(path, **options)

    return read


def test_frames_stored_from_right_to_left_are_read_in_order_of_place(read, tmp_path):
    """Slices are counted along their normal, here toward the right."""
    picture = read(placed(range(100, 107), [(4 * k, 0, 0) for k in range(7)]), slice_choice=1)
    assert (picture.pixels[0, 0], picture.slices, picture.frame.spacing_mm) == (105, 7, (SPACING, SPACING))
    assert dicom_source(tmp_path / "frames.dcm", 1) == (tmp_path / "frames.dcm", 5)


@pytest.mark.parametrize("aside", [0.0, 0.3])
def test_stations_are_stacks_of_their_own(read, aside):
    """Neck and loin, 250 mm apart, at the same depths or between them: never woven into one."""
    places = [(4.0 * k, 0, 0) for k in range(5)] + [(4.0 * k + aside, 0, -250.0) for k in range(5)]
    ds = placed([*range(100, 105), *range(200, 205)], places)
    lower, upper = read(ds), read(ds, series=2)
    assert (lower.pixels[0, 0], upper.pixels[0, 0], lower.slices, upper.slices) == (202, 102, 5, 5)
    assert lower.remarks[0].startswith("series 1 of 2 was read (5 sagittal slices of 20 x 24 px, station 2), not 2")
    assert not any("gap" in remark or "taken" in remark for remark in lower.remarks)


def test_slices_that_move_on_in_their_plane_are_one_stack(read):
    """Shifted little by little, as by a tilted gantry, by more than a station's distance on the whole; and two stacks
    that lie beside one another in depth."""
    step = 0.9 * STATION * SIZE[1] * SPACING
    assert read(placed(range(100, 107), [(4 * k, 0, step * k) for k in range(7)])).slices == 7
    assert read(placed(range(100, 106), [(4 * k, 0, 0 if k < 3 else -99) for k in range(6)])).slices == 6


def test_projections_through_the_volume_are_no_slices_of_it(read):
    places = [(4.0 * k, 0, 0) for k in (*range(5), *range(5))]
    ds = placed([*range(200, 205), *range(100, 105)], places)
    for k, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        group.MRImageFrameTypeSequence = [Dataset()]
        group.MRImageFrameTypeSequence[0].FrameType = ["DERIVED", "PRIMARY", "ANY", "NONE"]
        group.MRImageFrameTypeSequence[0].VolumeBasedCalculationTechnique = "MAX_IP" if k < 5 else "NONE"
    picture = read(ds)
    assert (picture.pixels[0, 0], picture.slices) == (102, 5)
    assert "image type DERIVED PRIMARY ANY NONE MAX_IP" in picture.remarks[0]


@pytest.mark.parametrize("lost", ["sequence", "item", "group"])
def test_frames_of_which_one_has_no_place_are_said_to_be_counted(read, lost):
    ds = placed(range(100, 107), [(24 - 4 * k, 0, 0) for k in range(7)])
    if lost == "sequence":
        del ds.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    elif lost == "item":
        ds.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence = []
    else:
        ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:6]
    picture = read(ds)
    assert picture.pixels[0, 0] == 103
    assert "frame 4 of 7 was read, counted by number, not by place" in picture.remarks


def test_a_localiser_of_three_planes_is_not_stacked(tmp_path):
    """One series, one size, three slices of each plane."""
    planes = {(0, 1, 0, 0, 0, -1): (1, 0, 0), (1, 0, 0, 0, 0, -1): (0, 1, 0), (1, 0, 0, 0, 1, 0): (0, 0, 1)}
    for number, (cosines, step) in enumerate(planes.items()):
        for k in range(3):
            tags = {"Modality": "MR", "ImageOrientationPatient": list(cosines), "PixelSpacing": [1, 1]}
            tags["ImagePositionPatient"] = [12.0 * k * v for v in step]
            (tmp_path / f"{number}{k}.dcm").write_bytes(to_bytes(dicom(flat([100 * number + k])[0], **tags)))
    picture = read_picture(tmp_path)
    assert (picture.slices, picture.pixels.min(), picture.pixels.max()) == (
        3,
        picture.pixels[0, 0],
        picture.pixels[0, 0],
    )
    assert picture.remarks[0].startswith("series 1 of 3 was read (3 ")
    assert {read_picture(tmp_path, series=n).pixels[0, 0] // 100 for n in (1, 2, 3)} == {0, 1, 2}


@pytest.mark.parametrize(("degrees", "stacks"), [(0.001, 1), (4, 2)])
def test_slices_are_parallel_or_no_stack(tmp_path, degrees, stacks):
    """The cosines lie about 0.05, where they round to 0 or 0.1; a turn of 4 degrees is another stack."""
    for k in range(6):
        angle = np.arcsin(0.05) + np.radians(degrees) * (k % 2 - 0.5)
        tags = {"Modality": "MR", "ImageOrientationPatient": [np.sin(angle), np.cos(angle), 0, 0, 0, -1]}
        tags["ImageOrientationPatient"] = [round(v, 8) for v in tags["ImageOrientationPatient"]]
        tags |= {"ImagePositionPatient": [4 * k, 0, 0], "PixelSpacing": [1, 1]}
        (tmp_path / f"{k}.dcm").write_bytes(to_bytes(dicom(flat([100 + k])[0], **tags)))
    picture = read_picture(tmp_path)
    assert picture.slices == 6 // stacks
    assert any("series 1 of 2" in remark for remark in picture.remarks) == (stacks == 2)


def test_a_volume_beside_a_localiser_is_said_to_be_there(tmp_path):
    for k in range(3):
        tags = {"ImageOrientationPatient": RIGHT + DOWN, "ImagePositionPatient": [10 * k, 0, 0], "PixelSpacing": [2, 2]}
        (tmp_path / f"{k}.dcm").write_bytes(to_bytes(dicom(flat([k])[0], Modality="MR", **tags)))
    said = "1 DICOM file of several frames was left out of the folder's series: give such a file by its name"
    assert not any("several frames" in remark for remark in read_picture(tmp_path).remarks)
    (tmp_path / "volume.dcm").write_bytes(to_bytes(placed(range(100, 107), [(4 * k, 0, 0) for k in range(7)])))
    assert said in read_picture(tmp_path).remarks
    assert said in volume_of_series(tmp_path).remarks
    mask = placed(range(7), [(4 * k, 0, 0) for k in range(7)])
    mask.Modality = "SEG"  # is about the pictures, and none itself
    (tmp_path / "mask.dcm").write_bytes(to_bytes(mask))
    assert said in read_picture(tmp_path).remarks
    for k in range(3):
        (tmp_path / f"{k}.dcm").unlink()
    assert volume_of_series(tmp_path).values[:, 0, 0].tolist() == list(range(106, 99, -1))  # toward the right
    assert find_volumes([tmp_path]) == [tmp_path / "volume.dcm"]  # the mask is none
    (tmp_path / "second.dcm").write_bytes((tmp_path / "volume.dcm").read_bytes())
    with pytest.raises(InputError, match="holds DICOM files of several frames, and no series"):
        volume_of_series(tmp_path)
    assert find_volumes([tmp_path]) == [tmp_path / "second.dcm", tmp_path / "volume.dcm"]


def series(folder, places, spacing=(1, 1)):
    for k, place in enumerate(places):
        tags = {
            "ImageOrientationPatient": RIGHT + DOWN,
            "ImagePositionPatient": [place, 20, 30],
            "PixelSpacing": [*spacing],
        }
        (folder / f"{k}.dcm").write_bytes(to_bytes(dicom(flat([k])[0], Modality="MR", **tags)))


def test_voxels_of_three_lengths_lie_where_dicom_says(tmp_path):
    """By PS3.3 C.7.6.2.1.1, of oblong pixels: 0.5 mm from row to row (to the feet), 2 mm along one (to the back)."""
    series(tmp_path, [-8, -5, -2, 1], [0.5, 2])
    volume = volume_of_series(tmp_path)
    assert volume.spacing_mm == pytest.approx((3, 0.5, 2))
    column, row = 4, 7
    for k, level in enumerate(volume.values[:, row, column].astype(int)):
        left, back, up = -8 + 3 * level, 20 + 2 * column, 30 - 0.5 * row
        np.testing.assert_allclose(volume.grid.to_mm(np.array([column, row, k])), [-left, -back, up], atol=1e-9)


@pytest.mark.parametrize(("places", "even"), [([0, 4, 8.1, 12], True), ([0, 4, 8.4, 12], False)])
def test_slices_unevenly_spaced_are_no_volume(tmp_path, places, even):
    """Steps may differ by a twentieth: files round them."""
    series(tmp_path, places)
    if even:
        assert volume_of_series(tmp_path).spacing_mm[0] == pytest.approx(4)
        return
    with pytest.raises(InputError, match="not evenly spaced"):
        volume_of_series(tmp_path)


@pytest.mark.parametrize("fault", ["shifted", "turned"])
def test_slices_askew_are_no_volume_to_segment(tmp_path, fault):
    """A mask would lie elsewhere in mm than what it was drawn on."""
    for k in range(5):
        angle = np.radians(1.0 * k if fault == "turned" else 0)
        cosines = [
            0,
            round(np.cos(angle), 8),
            round(np.sin(angle), 8),
            0,
            round(np.sin(angle), 8),
            -round(np.cos(angle), 8),
        ]
        place = [4 * k, 0, 0.5 * k if fault == "shifted" else 0]
        tags = {"ImageOrientationPatient": cosines, "ImagePositionPatient": place, "PixelSpacing": [1, 1]}
        (tmp_path / f"{k}.dcm").write_bytes(to_bytes(dicom(flat([k])[0], Modality="MR", **tags)))
    with pytest.raises(InputError, match="turned, or shifted"):
        volume_of_series(tmp_path)


def test_inverted_values_of_32_bits_stay_apart_in_a_volume():
    """Turned over about 2**32 they would be rounded to 256 in float32."""
    dataset = Dataset()
    dataset.PhotometricInterpretation, dataset.BitsStored, dataset.PixelRepresentation = "MONOCHROME1", 32, 0
    values, inverted = to_display(np.array([[70000, 70001]], np.uint32), dataset, 0, None, [], window=False)
    assert inverted
    assert values[0, 0] - values[0, 1] == 1


def test_inverted_signed_values_are_turned_over_about_the_middle_of_what_can_be_stored():
    """12 bits hold -2048 to 2047, so that 0 becomes -1 and the least the greatest, in every slice of a volume alike."""
    dataset = Dataset()
    dataset.PhotometricInterpretation, dataset.BitsStored, dataset.PixelRepresentation = "MONOCHROME1", 12, 1
    values, _ = to_display(np.array([[-2048, 0, 100]], np.int16), dataset, 0, None, [], window=False)
    assert values.tolist() == [[2047, -1, -101]]


def test_the_users_spacing_holds_for_a_slice_of_a_series(tmp_path):
    for k in range(3):
        tags = {"ImageOrientationPatient": RIGHT + DOWN, "ImagePositionPatient": [4 * k, 0, 0], "PixelSpacing": [2, 2]}
        (tmp_path / f"{k}.dcm").write_bytes(to_bytes(dicom(flat([k])[0], Modality="MR", **tags)))
    frame = read_picture(tmp_path, spacing_mm=(0.5, 0.5)).frame
    assert (frame.spacing_mm, frame.spacing_source) == ((0.5, 0.5), "user")


def test_multi_frame_without_places_gives_the_central_frame(read):
    stack = np.stack([SHOWN + 100 * k for k in range(5)]).astype(np.uint16)
    picture = read(dicom(stack, frames=5, Modality="XA"))
    np.testing.assert_array_equal(picture.pixels, stack[2])
    assert "frame 3 of 5 was read" in picture.remarks


def test_enhanced_multi_frame_gives_the_central_place(read):
    stack = np.stack([SHOWN + 100 * k for k in range(5)]).astype(np.uint16)
    ds = enhanced(stack, [0, 1, 0], [0, 0, -1], [3, 0, 0], [0.7, 0.7])
    groups = ds.PerFrameFunctionalGroupsSequence
    order = [3, 0, 4, 1, 2]  # frames stored out of order: the middle place is that of frame 3 (index 3 holds place 1)
    for group, place in zip(groups, order, strict=True):
        group.PlanePositionSequence[0].ImagePositionPatient = [3.0 * place, 0.0, 0.0]
    picture = read(ds)
    np.testing.assert_array_equal(picture.pixels, stack[order.index(2)])
    assert picture.frame.spacing_mm == (0.7, 0.7)
    assert (picture.frame.toward_right, picture.frame.toward_bottom, picture.view) == ("P", "F", "sagittal")
