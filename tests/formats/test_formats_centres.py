"""Centres in volumes, and structured reports of others, on files written by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from two_bodies import only

from spinetk.cases.catalog import DatasetCatalog, setup_catalogs
from spinetk.cases.folder import CaseFolder
from spinetk.cases.preparation import prepare
from spinetk.errors import InputError
from spinetk.formats.registry import detect, read
from spinetk.keypoints.trainer import train
from spinetk.schema import VERTEBRA4, KeypointSchema

# --- centres in volumes ---


@pytest.fixture
def volume(tmp_path):
    """8 x 10 x 12 voxels of 1 x 2 x 3 mm, stored from right to left, back to front, feet to head (LAS)."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 99, (12, 10, 8)).astype(np.int16))
    image.SetSpacing((1.0, 2.0, 3.0))
    image.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1))  # in LPS: x to the left, y to the front, z to the head
    sitk.WriteImage(image, str(tmp_path / "sub-1_ct.nii.gz"))
    return tmp_path


def test_verse_centroids_lie_where_the_voxels_are_shown(volume):
    from spinetk.images import read_picture

    # Voxel (x, y, z) = (4, 7, 9) of the stored volume (size 8 x 10 x 12), in the axes P, I, R: 10-1-7, 12-1-9, 8-1-4.
    entries = [{"direction": ["P", "I", "R"]}, {"label": 20, "X": 2, "Y": 2, "Z": 3}, {"label": 22, "X": 2.5, "Y": 8, "Z": 3}]  # noqa: E501  # fmt: skip
    (volume / "sub-1_seg-subreg_ctd.json").write_text(json.dumps(entries))
    assert detect(volume)[0].name == "verse"
    item = only(volume)
    assert [v.label for v in item.vertebrae] == ["L1", "L3"]
    picture = read_picture(volume / "sub-1_ct.nii.gz")
    assert item.size == (picture.width, picture.height)
    assert (picture.frame.toward_right, picture.frame.toward_bottom) == ("P", "F")
    # Of the picture (back on the right, feet below) that is column 2 and row 2, seen at their middles.
    across, down = picture.width / 10, picture.height / 12
    np.testing.assert_allclose(item.vertebrae[0].points[0], [2.5 * across, 2.5 * down])
    np.testing.assert_allclose(item.vertebrae[1].points[0], [3.0 * across, 8.5 * down])
    reading = item.reading()
    assert reading.frame.spacing_mm is not None
    # As cases they keep their one point; a network that looks for bodies cannot learn from it.
    done = prepare(volume, volume / "cases", progress=False)
    (record,), _ = CaseFolder(done.base).records(done.cases)
    assert [entry["label"] for entry in record["annotations"]] == ["L1", "L3"]
    np.testing.assert_allclose(record["annotations"][0]["keypoints"], [2.5 * across, 2.5 * down, 2])
    assert not any("outside" in remark for remark in done.remarks)
    setup_catalogs("centres", done.cases, [], [], base=done.base, schema=item.schema)
    with pytest.raises(InputError, match="holds no vertebra with two points"):
        train("centres", 1, output=volume, device="cpu", progress=False)
    DatasetCatalog.clear()


@pytest.mark.parametrize(("name", "wanted"), [("labels-disc", "disc_C2_C3"), ("labels-vert", "C3")])
def test_sct_point_labels_mean_discs_or_vertebrae_by_the_name_of_the_file(volume, name, wanted):
    import SimpleITK as sitk

    source = sitk.ReadImage(str(volume / "sub-1_ct.nii.gz"))
    labels = np.zeros((12, 10, 8), np.uint8)
    labels[9, 7, 4] = 3
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(source)
    sitk.WriteImage(image, str(volume / f"sub-1_{name}.nii.gz"))
    (volume / "sub-1_ct.nii.gz").rename(volume / "sub-1_T2w.nii.gz")
    (volume / f"sub-1_{name}.nii.gz").rename(volume / f"sub-1_T2w_{name}.nii.gz")
    item = only(volume, "sct")
    place = item.extras[wanted][0] if name == "labels-disc" else item.vertebrae[0].points[0]
    assert wanted in (*item.extras, *(v.label for v in item.vertebrae))
    np.testing.assert_allclose(place, [2.5 * item.size[0] / 10, 2.5 * item.size[1] / 12])


def test_the_first_label_counts_and_voxels_of_one_label_are_one_point(volume):
    """Label 1 is C1 in SCT; a label of several voxels lies in their middle."""
    import SimpleITK as sitk

    (volume / "sub-1_ct.nii.gz").rename(volume / "sub-1_T2w.nii.gz")
    labels = np.zeros((12, 10, 8), np.uint8)
    labels[9, 7, 4] = 1
    labels[[4, 6], 5, 4] = 2
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(sitk.ReadImage(str(volume / "sub-1_T2w.nii.gz")))
    sitk.WriteImage(image, str(volume / "sub-1_T2w_labels-vert.nii.gz"))
    item = only(volume, "sct")
    assert [v.label for v in item.vertebrae] == ["C1", "C2"]
    across, down = item.size[0] / 10, item.size[1] / 12
    np.testing.assert_allclose(item.vertebrae[0].points[0], [2.5 * across, 2.5 * down])
    np.testing.assert_allclose(item.vertebrae[1].points[0], [4.5 * across, 6.5 * down])


@pytest.mark.parametrize(
    ("value", "name"),
    [(1, "disc_top_of_C1"), (2, "disc_C1_C2"), (19, "disc_T11_T12"), (20, "disc_T12_L1"), (25, "disc_L5_S1")],
)
def test_discs_of_sct_pass_over_levels_that_it_does_not_have(volume, value, name):
    """Its documentation: 1 the top of C1, 3 is C2/C3, 21 is L1/L2, 25 is L5/S1; there is no T13 and no L6."""
    import SimpleITK as sitk

    (volume / "sub-1_ct.nii.gz").rename(volume / "sub-1_T2w.nii.gz")
    labels = np.zeros((12, 10, 8), np.uint8)
    labels[9, 7, 4] = value
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(sitk.ReadImage(str(volume / "sub-1_T2w.nii.gz")))
    sitk.WriteImage(image, str(volume / "sub-1_T2w_labels-disc.nii.gz"))
    assert list(only(volume, "sct").extras) == [name]


def test_a_centre_outside_of_its_volume_is_named(volume):
    far = [{"direction": ["P", "I", "R"]}, {"label": 20, "X": 2, "Y": 14, "Z": 3}]
    (volume / "sub-1_ctd.json").write_text(json.dumps(far))
    (error,) = read(volume, "verse")
    assert error.fault == "has a point outside of sub-1_ct.nii.gz"


@pytest.mark.parametrize("direction", [["P", "I"], ["P", "A", "R"], ["P", "I", "X"], ["L", "R", "S"], ["P", "S", "I"]])
def test_axes_that_are_none_are_named(volume, direction):
    (volume / "sub-1_ctd.json").write_text(
        json.dumps([{"direction": direction}, {"label": 20, "X": 2, "Y": 2, "Z": 3}])
    )
    (error,) = read(volume, "verse")
    assert error.fault == f"field 'direction' is {direction}"


@pytest.mark.parametrize("direction", [["P", "I", "R"], ["a", "s", "l"]])
def test_axes_may_be_written_small_and_point_either_way(volume, direction):
    """Of 10, 12 and 8 voxels: the same one, counted from the other end of every axis."""
    place = {"X": 2, "Y": 2, "Z": 3} if direction[0] == "P" else {"X": 7, "Y": 9, "Z": 4}
    (volume / "sub-1_ctd.json").write_text(json.dumps([{"direction": direction}, {"label": 20, **place}]))
    item = only(volume)
    np.testing.assert_allclose(item.vertebrae[0].points[0], [2.5 * item.size[0] / 10, 2.5 * item.size[1] / 12])


def test_centres_have_no_schema_of_bodies(volume):
    (volume / "sub-1_ctd.json").write_text(json.dumps([{"direction": ["P", "I", "R"]}]))
    (error,) = read(volume, "verse", KeypointSchema("x", ("a", "b")))
    assert "centroids do not give" in str(error)


# --- DICOM structured reports of others ---


def test_reports_of_others_give_outlines_and_levels(tmp_path):
    hd = pytest.importorskip("highdicom")
    import pydicom
    from highdicom import sr
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    from spinetk.phantoms import lateral_radiograph, write_dicom

    phantom = lateral_radiograph(4, region="lumbar", spacing_mm=1.0)
    write_dicom(phantom, tmp_path / "film.dcm")
    source = pydicom.dcmread(tmp_path / "film.dcm")
    image = sr.SourceImageForRegion(source.SOPClassUID, source.SOPInstanceUID)
    groups = []
    for vertebra, site, text in zip(
        phantom.reading.vertebrae[2:4],
        (Code("66794005", "SCT", "L1 vertebra"), Code("51282000", "SCT", "Vertebra")),
        ("a region", "L2 body"),
        strict=True,
    ):
        quad = vertebra.points[[5, 3, 2, 0]]
        groups.append(
            sr.PlanarROIMeasurementsAndQualitativeEvaluations(
                tracking_identifier=sr.TrackingIdentifier(hd.UID(), text),
                referenced_region=sr.ImageRegion("POLYLINE", np.vstack([quad, quad[:1]]), image),
                finding_type=Code("51282000", "SCT", "Vertebra"),
                finding_sites=[sr.FindingSite(site)],
            )
        )
    device = sr.DeviceObserverIdentifyingAttributes(uid=hd.UID())
    context = sr.ObservationContext(observer_device_context=sr.ObserverContext(codes.DCM.Device, device))
    procedure = codes.SCT.ImagingProcedure
    content = sr.MeasurementReport(context, procedure_reported=procedure, imaging_measurements=groups)
    uids = {"series_instance_uid": hd.UID(), "sop_instance_uid": hd.UID()}
    numbers = {"series_number": 1, "instance_number": 1}
    sr.ComprehensiveSR([source], content[0], **uids, **numbers, manufacturer="x").save_as(tmp_path / "report.dcm")
    item = only(tmp_path / "report.dcm")
    assert item.picture == tmp_path / "film.dcm"
    assert [v.label for v in item.vertebrae] == ["L1", "L2"]
    assert item.schema == VERTEBRA4
    for found, wanted in zip(item.vertebrae, phantom.reading.vertebrae[2:4], strict=True):
        np.testing.assert_allclose(found.points, wanted.points[[5, 3, 0, 2]], atol=1e-3)
    assert "a report of another program" in item.remarks[0]
    # As archives lay them down: pictures in a folder of their series beside the reports.
    (tmp_path / "series").mkdir()
    (tmp_path / "film.dcm").rename(tmp_path / "series/film.dcm")
    assert only(tmp_path / "report.dcm").picture == tmp_path / "series/film.dcm"
