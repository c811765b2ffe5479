"""Uploads: dropped files under names of our own, within limits, series together."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from spinetk.phantoms import lateral_radiograph, sagittal_mr, write_dicom
from spinetk.review import uploads
from spinetk.review.uploads import display


def drop(client, files: dict[str, bytes]) -> dict:
    key = client.post("/api/uploads").json()["id"]
    for name, content in files.items():
        client.post(f"/api/uploads/{key}/files", content=content, headers={"x-name": name})
    return client.post(f"/api/uploads/{key}/finish").json()


@pytest.fixture
def radiograph(tmp_path) -> bytes:
    return write_dicom(lateral_radiograph(4, region="lumbar"), tmp_path / "r.dcm").read_bytes()


def test_dicom_opens_with_its_spacing(client, radiograph):
    answer = drop(client, {"r%C3%B6ntgen.dcm": radiograph})
    assert [row["name"] for row in answer["entries"]] == ["röntgen.dcm"]
    content = client.get(f"/api/entries/{answer['entries'][0]['id']}").json()
    spacing = lateral_radiograph(4, region="lumbar").reading.frame.spacing_mm
    assert content["shown"]["spacing_mm"] == pytest.approx(spacing, abs=1e-6)
    assert content["reading"]["vertebrae"] == []


def test_names_never_become_paths(client, desk, radiograph, tmp_path):
    answer = drop(client, {"../../../../evil.dcm": radiograph, "C:\\x\\y.dcm": radiograph})
    assert sorted(row["name"] for row in answer["entries"]) == ["evil.dcm", "y.dcm"]
    stored = [path.name for path in desk.uploads.rglob("*") if path.is_file()]
    assert all(name.isdecimal() for name in stored)
    assert not list(tmp_path.rglob("evil*"))
    assert display("a\nb\x00\u202e.png") == "ab.png"
    assert display("") == "unnamed"


def test_what_is_no_picture_is_named_and_gone(client, desk, radiograph):
    answer = drop(client, {"good.dcm": radiograph, "bad.dcm": b"nonsense" * 50, "empty.png": b""})
    assert [row["name"] for row in answer["entries"]] == ["good.dcm"]
    assert [line.split(":")[0] for line in sorted(answer["refused"])] == ["bad.dcm", "empty.png"]
    assert str(desk.uploads) not in str(answer)
    assert len([path for path in desk.uploads.rglob("*") if path.is_file()]) == 1


def test_slices_of_a_series_are_one_picture(client, tmp_path, radiograph):
    write_dicom(sagittal_mr(3), tmp_path / "s.dcm")
    files = {"other.dcm": radiograph}
    for number in range(5):
        ds = pydicom.dcmread(tmp_path / "s.dcm")
        ds.ImagePositionPatient = [str(4.0 * number), *ds.ImagePositionPatient[1:]]
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number + 1}"
        ds.save_as(tmp_path / "t.dcm")
        files[f"slice{number}.dcm"] = (tmp_path / "t.dcm").read_bytes()
    names = sorted(row["name"] for row in drop(client, files)["entries"])
    assert names == ["other.dcm", "slice0.dcm and 4 more slices"]


def test_a_header_and_its_voxels_that_are_dropped_together_are_one_picture(client, desk, tmp_path):
    """Kept under names of our own, the header did not find its voxels; alone it says which it wants."""
    import SimpleITK as sitk

    values = np.arange(5 * 60 * 50, dtype=np.int16).reshape(5, 60, 50)
    for name in ("a", "b"):
        sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / f"{name}.mhd"))
    files = {name: (tmp_path / name).read_bytes() for name in ("a.raw", "a.mhd", "b.mhd")}
    answer = drop(client, files)
    assert [row["name"] for row in answer["entries"]] == ["a.mhd"]
    assert [line.split(" (")[0] for line in answer["refused"]] == [
        "b.mhd: keeps its voxels in 'b.raw', which is not beside it"
    ]
    assert all(path.name.isdecimal() for path in desk.uploads.rglob("*") if path.is_file())
    content = client.get(f"/api/entries/{answer['entries'][0]['id']}").json()
    assert content["shown"]["spacing_mm"] == [1, 1]


def test_limits(client, desk, radiograph, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_FILE_BYTES", 1000)
    key = client.post("/api/uploads").json()["id"]
    answer = client.post(f"/api/uploads/{key}/files", content=radiograph, headers={"x-name": "big.dcm"})
    assert answer.status_code == 422
    assert "too large" in answer.json()["error"]
    assert not [path for path in desk.uploads.rglob("*") if path.is_file()]
    monkeypatch.setattr(uploads, "MOST_FILES", 1)
    assert client.post(f"/api/uploads/{key}/files", content=b"x").status_code == 422
    assert client.post("/api/uploads/nobody/files", content=b"x").status_code == 422


def test_everything_uploaded_goes_with_the_session(tmp_path, radiograph):
    from fastapi.testclient import TestClient

    from spinetk.review.app import create_app
    from spinetk.review.session import ReviewSession

    with ReviewSession(tmp_path / "t") as desk:
        drop(TestClient(create_app(desk), base_url="http://127.0.0.1"), {"a.dcm": radiograph})
        folder = desk.uploads
        assert np.any([path.is_file() for path in folder.rglob("*")])
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
