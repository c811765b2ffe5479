"""ZIPs on the review page: sets as annotation programs hand them out, and what cannot be taken."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import pytest
from test_review_importing import upload

from spinetk.errors import InputError
from spinetk.formats.registry import detect, writable
from spinetk.images import read_picture
from spinetk.review import packed
from spinetk.review.packed import unpacked

DATA = "kpt_shape: [4, 3]\nnames: {0: L3}\nkpt_names: {0: [top_left, top_right, bottom_right, bottom_left]}\n"
LINE = "0 .5 .5 .5 .25 .25 .375 2 .75 .375 2 .75 .625 2 .25 .625 2\n"
"""A body from a quarter to three quarters of the width, and from 3/8 to 5/8 of the height."""


def packed_as(files, **how):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["column.txt", "0a1b2c3d-column.txt", "local-files?d=column.txt"])
@pytest.mark.parametrize("folder", ["", "yolo/"])
def test_shares_of_a_yolo_set_are_of_the_picture_in_the_list(client, desk, drawn, picture_file, name, folder):
    """The ZIP has no picture; Label Studio puts numbers and addresses before its names."""
    (entry,) = desk.add(picture_file)
    files = {f"{folder}data.yaml": DATA, f"{folder}labels/{name}": LINE, "__MACOSX/labels/column.txt": "?"}
    assert upload(client, ("set.zip", packed_as(files)))["ids"] == [entry.id]
    (body,) = client.get(f"/api/entries/{entry.id}", params={"origin": "imported"}).json()["reading"]["vertebrae"]
    picture = read_picture(picture_file)
    w, h = picture.width, picture.height
    corners = [(0.25 * w, 0.625 * h), (0.75 * w, 0.625 * h), (0.75 * w, 0.375 * h), (0.25 * w, 0.375 * h)]
    assert body["label"] == "L3"
    assert sorted(map(tuple, body["points"])) == [pytest.approx(c, abs=0.01) for c in sorted(corners)]


def test_pictures_that_are_not_in_the_list_do_not_cost_the_others_their_points(client, desk, drawn, picture_file):
    (entry,) = desk.add(picture_file)
    files = {"data.yaml": DATA, **{f"labels/{name}.txt": LINE for name in ("a", "column", "z")}}
    answer = upload(client, ("set.zip", packed_as(files)))
    assert answer["ids"] == [entry.id]
    assert sum("is not in the list" in line for line in answer["remarks"]) == 2


def test_files_of_one_picture_each_are_read_one_by_one(client, desk, tmp_path, drawn, picture_file):
    (entry,) = desk.add(picture_file)
    (file,) = ours(tmp_path, drawn)
    answer = upload(client, ("set.zip", packed_as({"r.json": file.read_bytes(), "column.png": b"left packed"})))
    assert answer["ids"] == [entry.id]


def ours(folder, reading):
    return writable()["ours"].write(folder / "r.json", [reading])


def test_of_two_files_about_one_picture_it_is_said_which_counts(client, desk, tmp_path, drawn, picture_file):
    desk.add(picture_file)
    (first,) = ours(tmp_path, drawn)
    (second,) = writable()["coco"].write(tmp_path / "coco.json", [drawn])
    answer = upload(client, (first.name, first.read_bytes()), (second.name, second.read_bytes()))
    assert any("has points in two of these files, of which the last counts" in line for line in answer["remarks"])


def test_tasks_of_a_persons_points_come_back_as_a_persons(tmp_path, drawn):
    """Label Studio wants a version of a model, and there is none."""
    from spinetk.formats.registry import read

    for model in (None, "xray-lateral"):
        writable()["labelstudio"].write(tmp_path / "tasks.json", [replace(drawn, model=model)])
        assert json.loads((tmp_path / "tasks.json").read_text())[0]["predictions"][0]["model_version"]
        assert [item.model for item in read(tmp_path / "tasks.json")] == [model]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            packed_as({"data.yaml": DATA}).replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0"),
            "is an encrypted",
        ),
        (packed_as({"a.png": "x", "b/c.docx": "x"}), "is a ZIP without annotations"),
        (packed_as({"data.yaml": DATA}, compression=zipfile.ZIP_BZIP2), "is a ZIP of an uncommon kind"),
        (packed_as({"a.json": "[1]" * 500})[:200] + packed_as({"a.json": "{}"}), "is of no known format"),
        (packed_as({"a.json": "x" * 99}).replace(b"x" * 99, b"y" * 99), "is a ZIP that cannot be unpacked"),
        (packed_as({"a": "", "a.txt/b.txt": "", "a.txt": ""}), "is a ZIP that cannot be unpacked"),
    ],
    ids=["encrypted", "no annotations", "bzip2", "something before it", "damaged", "a file that is a folder"],
)
def test_what_cannot_be_taken_is_one_line(client, desk, picture_file, content, fault):
    desk.add(picture_file)
    (line,) = upload(client, ("set.zip", content))["remarks"]
    assert fault in line


def test_nothing_is_written_outside_the_folder_and_nothing_stays(tmp_path):
    file = tmp_path / "in" / "set.zip"
    file.parent.mkdir()
    names = ["../up.txt", "/root.txt", "C:\\drive.txt", "..\\..\\back.txt", "a/../../b.txt", ".hidden.txt"]
    file.write_bytes(packed_as(dict.fromkeys(names, "x")))
    with unpacked(file) as folder:
        found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert found == ["a/b.txt", "back.txt", "drive.txt", "root.txt", "up.txt"]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


def test_of_a_zip_no_more_is_unpacked_than_the_limit(tmp_path, monkeypatch):
    file = tmp_path / "set.zip"
    file.write_bytes(packed_as({"a.txt": "0" * 600, "b.txt": "0" * 401}, compression=zipfile.ZIP_DEFLATED))
    for limit, fits in ((1001, True), (1000, False)):
        monkeypatch.setattr(packed, "MOST_BYTES", limit)
        if fits:
            with unpacked(file) as folder:
                assert sorted(path.stat().st_size for path in folder.iterdir()) == [401, 600]
            continue
        with pytest.raises(InputError, match="is a ZIP of too much"), unpacked(file):
            pass


def test_elsewhere_a_zip_is_named_with_what_to_do(tmp_path):
    file = tmp_path / "set.zip"
    file.write_bytes(packed_as({"data.yaml": DATA}))
    with pytest.raises(InputError, match=r"set.zip: is a ZIP \(unpack it and give the folder that is in it\)"):
        detect(file)
    with pytest.raises(InputError, match=r"set.zip: is a ZIP, not a picture \(unpack it first\)"):
        read_picture(file)
