"""A mask as DICOM segmentation, read back by pydicom alone."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from report_source import SECRETS, source

from spinetk.errors import InputError
from spinetk.formats.seg import LEFT_ATRIUM, write_seg

pytest.importorskip("highdicom")


@pytest.fixture
def slices(tmp_path):
    """Three slices of a series, 3 mm apart."""
    files = []
    for number in range(3):
        data = source(rows=6, columns=5)
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.1.{number}"
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
        data.FrameOfReferenceUID, data.InstanceNumber = "1.2.3.7", number + 1
        data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, 3 * number], [1, 0, 0, 0, 1, 0]
        data.PixelSpacing, data.SliceThickness = [0.5, 0.75], 3
        files.append(tmp_path / f"{number}.dcm")
        data.save_as(files[-1], enforce_file_format=True)
    return files


@pytest.fixture
def mask():
    """Of the last two slices, not the same in any two directions."""
    found = np.zeros((3, 6, 5), bool)
    found[1, 1:4, 2] = found[1, 3, 2:5] = found[2, 0, 0] = True
    return found


def test_pixels_places_and_meaning_come_back(slices, mask, tmp_path):
    write_seg(tmp_path / "seg.dcm", mask, slices, LEFT_ATRIUM)
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    assert (seg.Modality, seg.SegmentationType, seg.Rows, seg.Columns) == ("SEG", "BINARY", 6, 5)
    assert (seg.Manufacturer, seg.ManufacturerModelName) == ("spinetk", "spinetk")
    # The slice without a voxel has no frame.
    assert int(seg.NumberOfFrames) == 2
    found = {}
    for frame, pixels in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array, strict=True):
        origin = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        found[origin] = (float(frame.PlanePositionSequence[0].ImagePositionPatient[2]), pixels)
    assert {uid: z for uid, (z, _) in found.items()} == {"1.2.3.1.1": 3, "1.2.3.1.2": 6}
    for number in (1, 2):
        np.testing.assert_array_equal(found[f"1.2.3.1.{number}"][1], mask[number])
    measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert [float(v) for v in measures.PixelSpacing] == [0.5, 0.75]
    (segment,) = seg.SegmentSequence
    assert (segment.SegmentLabel, segment.SegmentAlgorithmType) == ("left atrium", "AUTOMATIC")
    assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "82471001"
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    # CID 7162: Artificial Intelligence.
    assert algorithm.AlgorithmFamilyCodeSequence[0].CodeValue == "123110"
    assert (seg.StudyInstanceUID, seg.PatientID, seg.SeriesDescription) == (
        "1.2.3.3",
        "P-7",
        "Segmentation: left atrium",
    )
    assert seg.SeriesInstanceUID != "1.2.3.2"
    assert str(seg.PatientName) == "Müller^Zoë"
    assert not {*SECRETS} & {element.keyword for element in seg.iterall()}


def test_nothing_and_slices_that_nobody_can_refer_to_are_refused(slices, mask, tmp_path):
    with pytest.raises(InputError, match="would hold no segment"):
        write_seg(tmp_path / "seg.dcm", mask & False, slices, LEFT_ATRIUM)
    with pytest.raises(ValueError, match="does not lie on 2 slices"):
        write_seg(tmp_path / "seg.dcm", mask, slices[:2], LEFT_ATRIUM)
    (tmp_path / "text.dcm").write_text("no DICOM")
    with pytest.raises(InputError, match=r"text\.dcm: is not a readable DICOM file"):
        write_seg(tmp_path / "seg.dcm", mask, [*slices[:2], tmp_path / "text.dcm"], LEFT_ATRIUM)
    data = pydicom.dcmread(slices[0])
    del data.Rows
    data.save_as(slices[0])
    with pytest.raises(InputError, match=r"0\.dcm: has no Rows"):
        write_seg(tmp_path / "seg.dcm", mask, slices, LEFT_ATRIUM)
    assert not (tmp_path / "seg.dcm").exists()


@pytest.mark.parametrize("tag", ["ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID"])
def test_slices_without_a_place_carry_no_segmentation(slices, mask, tmp_path, tag):
    for path in slices:
        data = pydicom.dcmread(path)
        del data[tag]
        data.save_as(path)
    with pytest.raises(InputError) as error:
        write_seg(tmp_path / "seg.dcm", mask, slices, LEFT_ATRIUM)
    assert error.value.source == str(slices[0])
    assert error.value.fault.startswith("cannot carry a segmentation: ")
    assert not (tmp_path / "seg.dcm").exists()
