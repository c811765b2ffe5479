"""Importing: points of annotation programs for pictures of the list."""

from __future__ import annotations

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
