"""Importing: points of annotation programs for pictures of the list."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from spinetk.formats.registry import writable
from spinetk.reading import Reading


def upload(client, *files):
    key = client.post("/api/uploads").json()["id"]
    for name, content in files:
        assert client.post(f"/api/uploads/{key}/files", content=content, headers={"x-name": name}).status_code == 200
    return client.post(f"/api/uploads/{key}/annotations").json()


@pytest.mark.parametrize("name", ["coco", "cvat", "labelstudio", "labelme"])
def test_points_come_to_the_picture_they_name(client, desk, tmp_path, drawn, picture_file, name, save):
    (entry,) = desk.add(picture_file)
    assert client.get(f"/api/entries/{entry.id}").json()["reading"]["vertebrae"] == []
    chosen = writable()[name]
    files = chosen.write(chosen.path_in(tmp_path / "out", "column"), [drawn])
    answer = upload(client, *((f.name, f.read_bytes()) for f in files if f.suffix != ".xml" or name == "cvat"))
    assert answer["ids"] == [entry.id]
    content = client.get(f"/api/entries/{entry.id}").json()["reading"]
    assert content["origin"] == "imported"
    for got, wanted in zip(content["vertebrae"], drawn.vertebrae, strict=True):
        assert got["label"] == wanted.label
        assert got["points"] == [pytest.approx(point, abs=0.01) for point in wanted.points.tolist()]
    saved = save(client, entry.id, content)
    assert saved.json()["vertebrae"] == 3


def test_of_two_pictures_of_one_name_the_one_meant_gets_the_points(client, desk, tmp_path, drawn, picture_file):
    """A name with its folder tells; a bare one may be either, and neither is given another's points."""
    for folder in ("x", "y"):
        (tmp_path / "films" / folder).mkdir(parents=True)
        shutil.copy(picture_file, tmp_path / "films" / folder / "column.png")
    entries = {entry.name: entry for entry in desk.add(tmp_path / "films")}
    for name, meant in (("y/column.png", ["y/column.png"]), ("column.png", [])):
        (file,) = writable()["coco"].write(tmp_path / "coco.json", [drawn])
        content = json.loads(file.read_text())
        content["images"][0] |= {"file_name": name, "case": None}
        answer = upload(client, (file.name, json.dumps(content).encode()))
        assert answer["ids"] == [entries[own].id for own in meant]
        assert any("may be any of 2 pictures of the list" in line for line in answer["remarks"]) == (not meant)


def test_points_of_another_slice_are_not_put_on_the_one_shown(client, desk, tmp_path, drawn):
    nibabel = pytest.importorskip("nibabel")
    shape = (7, drawn.width, drawn.height)  # sagittal slices along the first axis, x to the front, y to the head
    voxels = np.random.default_rng(0).integers(0, 900, shape).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([4.0, 1, 1, 1])), tmp_path / "a.nii.gz")
    (entry,) = desk.add(tmp_path / "a.nii.gz")
    for place, ids in ((3, [entry.id]), (5, [])):
        told = replace(drawn, file=str(tmp_path / "a.nii.gz"), slice=place)
        (file,) = writable()["coco"].write(tmp_path / "coco.json", [told])
        answer = upload(client, (file.name, file.read_bytes()))
        assert answer["ids"] == ids
        assert any("shows slice 4, its annotation is about slice 6" in line for line in answer["remarks"]) == (not ids)


def test_what_meets_no_picture_is_said(client, desk, tmp_path, drawn, picture_file):
    desk.add(picture_file)
    chosen = writable()["coco"]
    other = Reading("other.png", drawn.height, drawn.width, drawn.schema, drawn.vertebrae)
    smaller = Reading("column.png", 50, drawn.width, drawn.schema, drawn.vertebrae)
    for reading, word in ((other, "is not in the list"), (smaller, "its annotation is about")):
        (file,) = chosen.write(tmp_path / "coco.json", [reading])
        answer = upload(client, (file.name, file.read_bytes()))
        assert answer["ids"] == []
        assert any(word in line for line in answer["remarks"])
    answer = upload(client, ("a.txt", b"hello"))
    assert "is of no known format" in answer["remarks"][0]
    assert client.get("/api/session").json()["imports"]
