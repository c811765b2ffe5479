"""Phantoms as DICOM files and as case folders."""

import json

import cv2
import numpy as np
import pydicom
import pytest

from spinetk.cases.folder import CaseFolder
from spinetk.errors import InputError
from spinetk.images import read_picture
from spinetk.phantoms import lateral_radiograph, sagittal_mr, write_dicom, write_phantom_set
from spinetk.phantoms.dicom import SPACING_TAGS


@pytest.fixture(scope="module")
def radiograph():
    return lateral_radiograph(2, size=(200, 120), region="lumbar", facing="right")


@pytest.fixture(scope="module")
def slice_():
    return sagittal_mr(2, size=(160, 160), region="lumbar", facing="left")


@pytest.mark.parametrize("monochrome1", [False, True])
@pytest.mark.parametrize("voi", [False, True])
def test_polarity_and_voi_describe_the_same_picture(radiograph, tmp_path, monochrome1, voi):
    path = write_dicom(radiograph, tmp_path / "a.dcm", monochrome1=monochrome1, voi=voi)
    ds = pydicom.dcmread(path)
    assert ds.PhotometricInterpretation == ("MONOCHROME1" if monochrome1 else "MONOCHROME2")
    assert ("WindowCenter" in ds) == voi
    shown = ds.pixel_array.astype(int)
    if monochrome1:
        shown = 4095 - shown
    assert (shown == radiograph.pixels).all()
    if voi:
        # The window covers the stored range: applying it clips nothing and keeps every step.
        windowed = pydicom.pixels.apply_windowing(ds.pixel_array, ds)
        span = np.ptp(ds.pixel_array.astype(float))
        expected = (ds.pixel_array - float(ds.pixel_array.min())) / span * (2**12 - 1)
        np.testing.assert_allclose(windowed, expected, atol=1e-6)


def test_the_reader_sees_one_picture_in_all_four(radiograph, tmp_path):
    shown = []
    for name, (monochrome1, voi) in enumerate([(False, False), (False, True), (True, False), (True, True)]):
        path = write_dicom(radiograph, tmp_path / f"{name}.dcm", monochrome1=monochrome1, voi=voi)
        pixels = read_picture(path).pixels.astype(float)
        shown.append((pixels - pixels.min()) / np.ptp(pixels))
    for other in shown[1:]:
        np.testing.assert_allclose(other, shown[0], atol=1e-5)


def test_radiograph_tags(radiograph, tmp_path):
    ds = pydicom.dcmread(write_dicom(radiograph, tmp_path / "a.dcm", patient_name="PHANTOM^TEST"))
    assert ds.SOPClassUID == pydicom.uid.ComputedRadiographyImageStorage
    assert (ds.Modality, str(ds.PatientName)) == ("CR", "PHANTOM^TEST")
    assert list(ds.PatientOrientation) == ["A", "F"]
    assert (ds.Rows, ds.Columns, ds.BitsStored, ds.HighBit, ds.PixelRepresentation) == (200, 120, 12, 11, 0)


@pytest.mark.parametrize("facing", ["left", "right"])
def test_slice_orientation(tmp_path, facing):
    phantom = sagittal_mr(2, size=(96, 96), facing=facing)
    ds = pydicom.dcmread(write_dicom(phantom, tmp_path / "m.dcm"))
    assert ds.SOPClassUID == pydicom.uid.MRImageStorage
    row, column = np.array(ds.ImageOrientationPatient, float).reshape(2, 3)
    # Patient axes are left, posterior, head.
    assert (row == (0, -1 if facing == "right" else 1, 0)).all()
    assert (column == (0, 0, -1)).all()
    np.testing.assert_allclose(np.array(ds.PixelSpacing, float), phantom.reading.frame.spacing_mm, rtol=1e-8)


@pytest.mark.parametrize("source", SPACING_TAGS)
def test_spacing_tags(radiograph, tmp_path, source):
    ds = pydicom.dcmread(write_dicom(radiograph, tmp_path / "a.dcm", spacing_source=source))
    true = np.array(radiograph.reading.frame.spacing_mm)
    present = {tag for tag in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing") if tag in ds}
    if source == "none":
        assert not present
    elif source == "CalibratedPixelSpacing":
        assert ds.PixelSpacingCalibrationType == "FIDUCIAL"
        np.testing.assert_allclose(np.array(ds.PixelSpacing, float), true, rtol=1e-8)
        assert (np.array(ds.ImagerPixelSpacing, float) > true).all()
    elif source == "MagnifiedImagerPixelSpacing":
        factor = float(ds.EstimatedRadiographicMagnificationFactor)
        np.testing.assert_allclose(np.array(ds.ImagerPixelSpacing, float) / factor, true, rtol=1e-8)
        assert factor > 1
    else:
        assert present == {source}
        np.testing.assert_allclose(np.array(ds[source].value, float), true, rtol=1e-8)


@pytest.mark.parametrize("source", SPACING_TAGS)
def test_the_reader_finds_the_true_spacing_and_side(radiograph, tmp_path, source):
    picture = read_picture(write_dicom(radiograph, tmp_path / "a.dcm", spacing_source=source))
    assert picture.frame.anterior == "right"
    if source == "none":
        assert picture.frame.spacing_mm is None
    else:
        assert picture.frame.spacing_mm == pytest.approx(radiograph.reading.frame.spacing_mm, rel=1e-6)


def test_equal_files_for_equal_calls(slice_, tmp_path):
    first = write_dicom(slice_, tmp_path / "a.dcm").read_bytes()
    assert write_dicom(slice_, tmp_path / "b.dcm").read_bytes() == first


def test_spacing_sources_that_cannot_be(radiograph, slice_, tmp_path):
    with pytest.raises(InputError, match="unknown"):
        write_dicom(radiograph, tmp_path / "a.dcm", spacing_source="Guess")
    with pytest.raises(InputError, match="does not exist in MR"):
        write_dicom(slice_, tmp_path / "a.dcm", spacing_source="ImagerPixelSpacing")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    base = tmp_path_factory.mktemp("set")
    return base, write_phantom_set(base, 4, seed=3, width=160, hardware_share=0.5)


def test_layout_of_the_original(written):
    base, names = written
    assert names == [f"phantom-{k:04d}" for k in range(1, 5)]
    metadata = json.loads((base / "metadata.json").read_text())
    assert list(metadata) == names
    assert sum(entry["Hardware"] for entry in metadata.values()) == 2
    assert [metadata[name]["View"] for name in names] == ["lateral", "sagittal", "lateral", "sagittal"]
    assert [metadata[name]["group"] for name in names] == names
    for name in names:
        folder = base / name / "src" / "0"
        assert {path.name for path in folder.iterdir()} == {"src-0.png", "src-0.json"}
        picture = cv2.imread(str(folder / "src-0.png"), cv2.IMREAD_UNCHANGED)
        content = json.loads((folder / "src-0.json").read_text())
        assert picture.dtype == np.uint8
        assert picture.shape == (content["height"], content["width"], 3)
        assert content["width"] == 160
        assert content["file_name"] == "src-0.png"
        assert content["schema"] == "vertebra6"
        assert content["view"] == metadata[name]["View"]
        assert content["spacing_source"] == "phantom"
        assert len(content["annotations"]) >= 4
        for entry in content["annotations"]:
            points = np.array(entry["keypoints"]).reshape(6, 3)
            assert (points[:, 2] == 2).all()
            assert (entry["bbox_mode"], entry["category_id"]) == (0, 0)
            np.testing.assert_allclose(entry["bbox"], [*points[:, :2].min(0), *points[:, :2].max(0)], atol=2e-3)


def test_the_set_reads_back_and_the_scale_is_kept_on_resizing(written):
    base, names = written
    records, failures = CaseFolder(base).records(names)
    assert not failures
    assert len(records) == 4
    number = 0
    original = lateral_radiograph(
        3 * 1_000_003 + number, hardware=json.loads((base / "metadata.json").read_text())[names[0]]["Hardware"]
    )
    entry, truth = records[0]["annotations"][0], original.reading.vertebrae[0]
    resized = np.array(entry["keypoints"]).reshape(6, 3)[:, :2] * np.array(records[0]["spacing_mm"])[::-1]
    np.testing.assert_allclose(resized, original.reading.frame.to_mm(truth.points), atol=2e-3)


def test_sets_that_cannot_be(tmp_path):
    for arguments in ({"cases": 0}, {"kinds": ("oblique",)}, {"kinds": ()}, {"hardware_share": 2.0}):
        with pytest.raises(InputError):
            write_phantom_set(tmp_path, **arguments)
