"""Importing what the page itself has exported: point lists of 3D Slicer and structured reports."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from test_review_importing import upload

from spinetk.formats.registry import writable
from spinetk.review.serialization import send


def film(path, drawn, uid="1.2.3.4", spacing=0.5):
    """A DICOM film of the drawn column, of 0.5 mm by its ImagerPixelSpacing, which 3D Slicer counts in."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = DigitalXRayImageStorageForPresentation, uid
    data.StudyInstanceUID, data.SeriesInstanceUID, data.Modality = "1.2.3", f"{uid}.1", "DX"
    data.Rows, data.Columns, data.ImagerPixelSpacing = drawn.height, drawn.width, [spacing, spacing]
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit = 15
    data.PixelData = np.arange(drawn.height * drawn.width, dtype=np.uint16).tobytes()
    path.parent.mkdir(exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def export(client, kind, entry, reading):
    """The download and the name that it comes with."""
    if kind == "sr":
        pytest.importorskip("highdicom")
    answer = client.post("/api/export", json={"kind": kind, "id": entry.id, "reading": send(reading)})
    assert answer.status_code == 200, answer.json()
    return re.search('filename="(.*)"', answer.headers["content-disposition"])[1], answer.content


def expect(client, entry, wanted):
    content = client.get(f"/api/entries/{entry.id}", params={"origin": "imported"}).json()["reading"]
    assert content["origin"] == "imported"
    for got, own in zip(content["vertebrae"], wanted.vertebrae, strict=True):
        assert got["label"] == own.label
        assert got["points"] == [pytest.approx(point, abs=0.01) for point in own.points.tolist()]


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("slicer", "a.dcm"), ("fcsv", "a.dcm"), ("sr", "a.dcm"), ("slicer", "a.png")),
        *(("yolo", "a.dcm"), ("yolo", "a.png"), ("labelstudio", "a.dcm"), ("labelstudio", "a.png")),
    ],
)
def test_what_the_page_wrote_it_takes_back(client, desk, tmp_path, drawn, picture_file, save, kind, name, saved):
    """Alone, as it was downloaded, among other films of the same size: under the name of the case once there is one."""
    (entry,) = desk.add(film(tmp_path / "films" / name, drawn) if name == "a.dcm" else picture_file)
    desk.add(film(tmp_path / "films" / "b.dcm", drawn, "1.2.3.5"))
    if saved:
        assert save(client, entry.id, send(drawn)).status_code == 200
    file, content = export(client, kind, entry, drawn)
    assert upload(client, (file, content))["ids"] == [entry.id]
    expect(client, entry, drawn)


@pytest.mark.parametrize("name", ["picture-{}.mrk (1).json", "picture-{}.mrk(2).json"])
def test_a_second_download_is_called_after_its_picture_too(client, desk, drawn, picture_file, name):
    (entry,) = desk.add(picture_file)
    _, content = export(client, "slicer", entry, drawn)
    assert upload(client, (name.format(entry.id), content))["ids"] == [entry.id]


def test_a_report_goes_to_the_film_of_its_uid_whatever_it_is_called(client, desk, tmp_path, drawn):
    pytest.importorskip("highdicom")
    meant = film(tmp_path / "x" / "a.dcm", drawn, "1.2.3.4")
    film(tmp_path / "y" / "b.dcm", drawn, "1.2.3.5")
    entries = {entry.name: entry for folder in ("x", "y") for entry in desk.add(tmp_path / folder)}
    (report,) = writable()["sr"].write(tmp_path / "r.dcm", [replace(drawn, file=str(meant))])
    assert upload(client, ("b.dcm", report.read_bytes()))["ids"] == [entries["a.dcm"].id]


def test_a_report_of_a_film_that_is_not_listed_is_refused(client, desk, tmp_path, drawn):
    pytest.importorskip("highdicom")
    (report,) = writable()["sr"].write(tmp_path / "r.dcm", [replace(drawn, file=str(film(tmp_path / "x.dcm", drawn)))])
    desk.add(film(tmp_path / "films" / "r.dcm", drawn, "1.2.3.5"))
    answer = upload(client, ("r.dcm", report.read_bytes()))
    assert answer["ids"] == []
    assert [line for line in answer["remarks"] if "is about a picture that is not there" in line]


def test_a_report_comes_to_the_case_that_was_made_of_its_film(client, desk, tmp_path, drawn, save):
    """A case keeps no UID; its name is a keyed hash of it."""
    pytest.importorskip("highdicom")
    (first,) = desk.add(film(tmp_path / "films" / "a.dcm", drawn))
    save(client, first.id, send(drawn))
    _, content = export(client, "sr", first, drawn)
    desk.entries.clear()
    (case,) = desk.add(tmp_path / "target")
    assert upload(client, ("whatever.dcm", content))["ids"] == [case.id]
    expect(client, case, drawn)


def test_a_point_list_in_millimetres_is_not_read_in_the_pixels_of_the_case(client, desk, tmp_path, drawn, save):
    """Both bear the case's name; the list says nothing of the picture it was drawn on."""
    (first,) = desk.add(film(tmp_path / "films" / "a.dcm", drawn, spacing=0.25))
    save(client, first.id, send(drawn))
    file, content = export(client, "slicer", first, drawn)
    desk.entries.clear()
    desk.add(tmp_path / "target")
    answer = upload(client, (file, content))
    assert answer["ids"] == []
    (line,) = answer["remarks"]
    # 32 x 18 px, and a quarter of it.
    assert "has bodies of 9 px where those of the picture have 37 px" in line


def test_a_point_list_of_another_slice_or_picture_is_refused(client, desk, tmp_path, drawn):
    nibabel = pytest.importorskip("nibabel")
    shape = (7, drawn.width, drawn.height)  # sagittal slices along the first axis, 4 mm apart
    voxels = np.random.default_rng(0).integers(0, 900, shape).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([4.0, 1, 1, 1])), tmp_path / "a.nii.gz")
    (entry,) = desk.add(tmp_path / "a.nii.gz")
    for place, away in ((3, None), (5, "lies 8.0 mm off the slice that is shown")):
        told = replace(drawn, file=str(tmp_path / "a.nii.gz"), slice=place)
        (file,) = writable()["slicer"].write(tmp_path / "a.mrk.json", [told])
        answer = upload(client, (file.name, file.read_bytes()))
        assert answer["ids"] == ([] if away else [entry.id])
        assert any(away in line for line in answer["remarks"]) if away else not answer["remarks"]
    content = json.loads(file.read_text())
    answer = upload(client, ("other.mrk.json", file.read_bytes()))
    assert "is called after no picture of the list" in answer["remarks"][0]
    for control in content["markups"][0]["controlPoints"]:
        control["position"] = [-12.0, 5000.0, 0.0]  # in the slice shown, beyond its border
    (line,) = upload(client, ("a.mrk.json", json.dumps(content).encode()))["remarks"]
    assert "has no point in the picture" in line


def test_a_table_says_which_file_to_take(client, desk, drawn, picture_file):
    (entry,) = desk.add(picture_file)
    (line,) = upload(client, export(client, "csv", entry, drawn))["remarks"]
    assert "is CSV, a row per vertebra, which is only written (give the same reading as JSON)" in line
