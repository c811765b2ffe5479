"""A volume as NIfTI, as a folder and as an enhanced file gives the same picture, and its frame is referred to."""

import numpy as np
import pydicom
import pytest
from one_volume import NAME, SHUFFLED, place_of, write_enhanced, write_folder, write_nifti

from spinetk.formats.item import CaseItem
from spinetk.formats.registry import writable
from spinetk.images import read_picture
from spinetk.images.dicom_volume import volume_of
from spinetk.images.find import find_volumes
from spinetk.images.source import source_of
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4

IN_ORDER, REVERSED = (0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0)
MIDDLE = 3
"""Of six slices 2 and 3 are equally near to the middle: 3 is the one on the right."""


@pytest.fixture(scope="module")
def values():
    """Every voxel has a value of its own, but for the scale of the picture."""
    return np.random.default_rng(0).integers(1, 4000, (6, 40, 30)).astype(np.uint16)


def written(folder, values):
    yield write_nifti(folder / "right.nii.gz", values)
    yield write_nifti(folder / "left.nii.gz", values, to_left=True)
    for order in (IN_ORDER, REVERSED, SHUFFLED):
        yield write_folder(folder / f"folder{order[0]}", values, order)
        yield write_enhanced(folder / f"enhanced{order[0]}.dcm", values, order)


def test_every_form_gives_the_same_slice(tmp_path, values):
    for path in written(tmp_path, values):
        picture = read_picture(path)
        assert np.array_equal(picture.pixels, values[MIDDLE]), path.name
        assert (picture.frame.spacing_mm, picture.view, picture.slices) == ((1.0, 1.0), "sagittal", 6)
        assert (picture.frame.toward_right, picture.frame.toward_bottom) == ("P", "F")


def test_every_form_gives_the_same_volume(tmp_path, values):
    for path in written(tmp_path, values):
        volume = volume_of(path)
        for s, row, column in ((0, 0, 0), (5, 7, 11), (2, 39, 29)):
            x, y, z = place_of(s, row, column)
            i, j, k = volume.grid.to_index(np.array([-x, -y, z]))
            assert np.allclose([i, j, k], np.round([i, j, k]), atol=1e-4), path.name
            assert volume.values[round(k), round(j), round(i)] == values[s, row, column]


def test_a_frame_is_counted_from_1_in_its_file(tmp_path, values):
    """Slice 3 is the fifth of the frames."""
    picture = read_picture(write_enhanced(tmp_path / "a.dcm", values, SHUFFLED))
    assert (picture.slice, picture.frame_number, SHUFFLED[5 - 1]) == (MIDDLE, 5, MIDDLE)
    assert read_picture(tmp_path / "a.dcm", slice_choice=0).frame_number == 2
    assert read_picture(write_folder(tmp_path / "b", values, SHUFFLED)).frame_number is None
    reading = CaseItem(tmp_path / "a.dcm", "a", VERTEBRA4, slice=0).reading()
    assert reading.to_json()["frame_number"] == 2
    assert Reading.from_json(reading.to_json()).frame_number == 2


def test_a_reformation_is_no_frame(tmp_path):
    """Axial frames: the picture is cut across all of them."""
    path = write_enhanced(tmp_path / "a.dcm", np.ones((6, 40, 30), np.uint16), IN_ORDER)
    data = pydicom.dcmread(path)
    data.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    for k, group in enumerate(data.PerFrameFunctionalGroupsSequence):
        group.PlanePositionSequence[0].ImagePositionPatient = [0, 0, 4 * k]
    data.save_as(path)
    picture = read_picture(path)
    assert (picture.slices, picture.frame_number, picture.view) == (1, None, "sagittal")


@pytest.mark.parametrize("chosen", [MIDDLE, 1])
def test_a_structured_report_refers_to_the_frame(tmp_path, values, chosen):
    pytest.importorskip("highdicom")
    path = write_enhanced(tmp_path / "a.dcm", values, SHUFFLED)
    body = Vertebra.from_points([[5, 5], [25, 5], [5, 20], [25, 20]], label="L3")
    reading = Reading(str(path), 40, 30, VERTEBRA4, [body], view="sagittal", slice=chosen)
    assert source_of(reading) == (path, SHUFFLED.index(chosen))
    writable()["sr"].write(tmp_path / "r.dcm", [reading])
    found = pydicom.dcmread(tmp_path / "r.dcm")
    numbers = [e.value for e in found.iterall() if e.keyword == "ReferencedFrameNumber"]
    assert set(numbers) == {SHUFFLED.index(chosen) + 1}


def test_volumes_of_a_folder(tmp_path, values):
    """What a folder of all forms is taken apart into; a mask of the lesions of DICOM is looked for in the same way."""
    forms = list(written(tmp_path, values))
    found = find_volumes([tmp_path])
    assert sorted(found) == sorted(forms)
    assert NAME not in str(found)
