"""Slices: any slice of a series, multi-frame file or volume can be chosen, and each keeps a case of its own."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from spinetk.cases.folder import CaseFolder, read_pixels, read_record
from spinetk.cases.groups import group_of
from spinetk.images import read_picture
from spinetk.images.source import dicom_source


def sagittal(pixels: np.ndarray, **more) -> FileDataset:
    """A sagittal MR file; (frames, H, W) pixels make a multi-frame one."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, MRImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.Modality = MRImageStorage, "1.2.3", "1.2.4", "MR"
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 15, 0, 1
    ds.PhotometricInterpretation, ds.PixelSpacing = "MONOCHROME2", [1.0, 1.0]
    ds.PixelData = pixels.astype("<u2").tobytes()
    for name, value in more.items():
        setattr(ds, name, value)
    return ds


def layer(k: int) -> np.ndarray:
    """A slice that tells its number by a bright row."""
    pixels = np.full((40, 32), 10)
    pixels[5 + k] = 900
    return pixels


def place_of(pixels: np.ndarray) -> int:
    return int(pixels.mean(axis=1).argmax()) - 5


@pytest.fixture
def series(tmp_path):
    folder = tmp_path / "series"
    folder.mkdir()
    for k in range(7):
        across = {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1], "ImagePositionPatient": [-4 * k, 0, 0]}
        sagittal(layer(k), **across).save_as(folder / f"{k}.dcm")
    return folder


@pytest.fixture
def frames(tmp_path):
    path = tmp_path / "frames.dcm"
    sagittal(np.stack([layer(k) for k in range(7)]), NumberOfFrames=7).save_as(path)
    return path


@pytest.mark.parametrize("kind", ["series", "frames"])
def test_every_slice_can_be_read(kind, request):
    path = request.getfixturevalue(kind)
    usual = read_picture(path)
    assert (usual.slices, usual.slice, place_of(usual.pixels)) == (7, 3, 3)
    for k in (0, 6):
        picture = read_picture(path, slice_choice=k)
        assert (picture.slice, place_of(picture.pixels)) == (k, k)
        assert any(f"{k + 1} of 7" in remark for remark in picture.remarks)
    file, frame = dicom_source(path, 5)
    assert (file.name, frame) == (("5.dcm", None) if kind == "series" else ("frames.dcm", 5))
    with pytest.raises(ValueError, match="8 is not among the 7"):
        read_picture(path, slice_choice=7)


def body(content, x=16.0) -> dict:
    points = [[x - 8, 30], [x, 30], [x + 8, 30], [x + 8, 12], [x, 12], [x - 8, 12]]
    reading = {**content["reading"], "vertebrae": [{"points": points, "visible": [True] * 6, "label": "L3"}]}
    return {**reading, "origin": "given"}


@pytest.mark.parametrize("kind", ["series", "frames"])
def test_slices_are_chosen_on_the_page(kind, request, client, desk, save):
    (entry,) = desk.add(request.getfixturevalue(kind))
    content = client.get(f"/api/entries/{entry.id}").json()
    assert (content["slices"], content["slice"]) == (7, 3)

    def go(key, place, keep=False):
        row = client.post(f"/api/entries/{key}/slice", json={"place": place, "keep": keep}).json()
        return row, client.get(f"/api/entries/{row['id']}").json()

    first, content = go(entry.id, 1)
    assert content["slice"] == 1
    assert first["name"].endswith("slice 2")
    # Looking through the slices leaves one row, not one for each.
    second, content = go(first["id"], 5)
    assert (second["id"], content["slice"], len(desk.entries)) == (first["id"], 5, 2)
    assert (
        place_of(np.frombuffer(client.get(f"/api/entries/{second['id']}/pixels").content, "<u2").reshape(40, 32)) == 5
    )
    # What is saved stays, as a case with the pixels of its own slice.
    saved = save(client, second["id"], body(content)).json()
    record = read_record(CaseFolder(desk.target.base).source(saved["case"]))
    assert place_of(read_pixels(record)) == 5
    third, content = go(second["id"], 6)
    assert (third["id"] != second["id"], third["state"], content["slice"]) == (True, "new", 6)
    assert save(client, third["id"], body(content)).json()["case"] != saved["case"]
    back, content = go(third["id"], 5)
    assert (back["id"], back["state"], len(content["reading"]["vertebrae"])) == (second["id"], "corrected", 1)
    assert go(third["id"], 3)[0]["id"] == entry.id
    assert client.post(f"/api/entries/{entry.id}/slice", json={"place": 7}).status_code == 422
    # The next session knows them again.
    (again,) = desk.add(entry.path)
    desk.entries.pop(entry.id), desk.entries.pop(second["id"])
    assert go(again.id, 5)[0]["state"] == "corrected"


@pytest.mark.parametrize("kind", ["series", "frames"])
def test_slices_of_one_volume_carry_one_group(kind, request, client, desk, save):
    (entry,) = desk.add(request.getfixturevalue(kind))
    key = entry.id
    for place in (1, 4, 6):
        key = client.post(f"/api/entries/{key}/slice", json={"place": place, "keep": True}).json()["id"]
        assert save(client, key, body(client.get(f"/api/entries/{key}").json())).status_code == 200
    entries = CaseFolder(desk.target.base).metadata()
    assert len(entries) == 3
    assert {one["group"] for one in entries.values()} == {group_of(entry.path, desk.target.base)}
    origins = [read_record(CaseFolder(desk.target.base).source(case))["origin"] for case in entries]
    assert origins[0] == origins[1] == origins[2]
