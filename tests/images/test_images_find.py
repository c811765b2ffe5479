"""Which files of a folder are taken for pictures."""

from __future__ import annotations

import json
import os
import socket

import numpy as np
import pytest
from image_seeds import dicom, plain, to_bytes

from spinetk.errors import InputError
from spinetk.images import find_inputs, find_pictures, find_series, read_picture, walk
from spinetk.images.find import find_volumes

PNG = plain(np.eye(4, dtype=np.uint8), "png")


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "root"
    for name in ("b.png", "a.dcm", "IM0001", "deep/er/c.nii.gz", "deep/d.TIF", "deep.png/e.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(PNG)
    return root


def names(root, *inputs):
    return [str(path.relative_to(root)) for path in find_pictures(inputs or [root])]


def test_pictures_of_any_depth_in_sorted_order(tree):
    assert names(tree) == ["IM0001", "a.dcm", "b.png", "deep/d.TIF", "deep/er/c.nii.gz", "deep.png/e.jpg"]
    assert names(tree) == names(tree)


def test_what_is_plainly_no_picture_is_passed_over(tree):
    before = names(tree)
    for name in ("x.json", "x.CSV", ".hidden.png", "DICOMDIR", "notes.txt", "model.pth", "a.tar.gz", ".git/x.png"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_bytes(PNG)
    os.mkfifo(tree / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "s.png"))
        assert names(tree) == before


def test_headers_whose_voxels_lie_beside_them_are_given_on_to_be_refused(tmp_path):
    """They were passed over without a word, the pictures of a whole folder with them; other programs' are."""
    import nibabel
    import SimpleITK as sitk

    nibabel.save(nibabel.Nifti1Pair(np.zeros((4, 5, 6), np.int16), np.eye(4)), tmp_path / "pair.img")
    sitk.WriteImage(sitk.Image(4, 3, 2, sitk.sitkUInt8), str(tmp_path / "detached.nhdr"))
    (tmp_path / "landscape.hdr").write_text("ENVI")
    assert names(tmp_path) == ["detached.nhdr", "pair.hdr"]
    volumes = find_volumes([tmp_path])
    assert [path.name for path in volumes] == ["detached.nhdr", "pair.hdr"]
    for path, fault in zip(volumes, ("keeps its voxels in another file", "is half of a NIfTI pair"), strict=True):
        with pytest.raises(InputError, match=fault):
            read_picture(path)


def test_links_that_leave_the_folder_are_passed_over(tree, tmp_path):
    (tmp_path / "outside.png").write_bytes(PNG)
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "far.png").write_bytes(PNG)
    before = names(tree)
    (tree / "zz_out.png").symlink_to(tmp_path / "outside.png")
    (tree / "zz_dir").symlink_to(tmp_path / "away")
    (tree / "zz_ring").symlink_to(tree)
    (tree / "zz_broken.png").symlink_to(tree / "nothing")
    (tree / "zz_self.png").symlink_to(tree / "zz_self.png")
    assert names(tree) == before
    (tree / "zz_in.png").symlink_to(tree / "b.png")
    assert names(tree) == sorted([*before[:3], "zz_in.png"]) + before[3:]


def test_a_named_file_is_always_given_on(tree):
    (tree / "x.json").write_bytes(b"{}")
    assert names(tree, tree / "x.json", tree / "missing.png") == ["x.json", "missing.png"]


def test_empty_folder(tmp_path):
    assert list(find_pictures([tmp_path])) == []
    assert find_series(tmp_path) == {}


def test_huge_folders_are_refused(tree, monkeypatch):
    monkeypatch.setattr(walk, "MAX_FILES", 3)
    with pytest.raises(InputError, match="more than 3 files"):
        list(find_pictures([tree]))


def test_series_are_told_apart_by_uid_size_and_orientation(tmp_path):
    common = {"Modality": "MR", "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}
    for index in range(8):
        uid = f"1.2.{3 + index % 2}"
        ds = dicom(ImagePositionPatient=[index, 0, 0], SeriesInstanceUID=uid, **common)
        (tmp_path / f"{index}").write_bytes(to_bytes(ds))
    (tmp_path / "alone").write_bytes(
        to_bytes(dicom(SeriesInstanceUID="1.2.9", ImagePositionPatient=[0, 0, 0], **common))
    )
    (tmp_path / "radiograph").write_bytes(to_bytes(dicom()))
    groups = find_series(tmp_path)
    assert sorted([path.name for path in files] for files in groups.values()) == [list("0246"), list("1357")]
    assert all(key.isalnum() for key in groups)


def test_a_series_is_one_input_and_other_pictures_stay_single(tmp_path):
    stack, other = tmp_path / "a", tmp_path / "b"
    stack.mkdir()
    other.mkdir()
    for k in range(3):
        head = dicom(
            ImageOrientationPatient=[0, 1, 0, 0, 0, -1], ImagePositionPatient=[k, 0, 0], SeriesInstanceUID="1.2"
        )
        (stack / f"{k}.dcm").write_bytes(to_bytes(head))
    for folder in (stack, other):
        (folder / "film.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert list(find_inputs([tmp_path])) == [stack, stack / "film.png", other / "film.png"]
    # A slice that is named is read by itself, and does not break up the series it belongs to.
    assert list(find_inputs([stack / "1.dcm", stack])) == [stack / "1.dcm", stack, stack / "film.png"]


def test_what_earlier_runs_made_of_other_files_is_no_picture(tmp_path):
    """Overlays, disc labels and masks of three runs among the pictures; a picture that bears the name of a result, or
    whose own result lies beside it, is one."""
    for name in (
        "a.dcm",
        "b.png",
        "r/a.png",
        "r/b.png",
        "r/own.png",
        "r/c_desc-discs_labels.png",
        "r/c.nii.gz",
        "r/a.tif",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PNG)
    made = [("a.dcm", "a"), ("b.png", "b"), ("r/own.png", "own"), ("c.nii.gz", "c"), ("c.nii.gz", "c.nii.gz")]
    lines = [json.dumps({"input": str(tmp_path / source), "stem": stem}) for source, stem in made]
    (tmp_path / "r" / "journal.jsonl").write_text("\n".join(['{"reader": "x"}', "[1]", *lines, lines[0][:20]]))
    found = [str(path.relative_to(tmp_path)) for path in find_inputs([tmp_path])]
    assert found == ["a.dcm", "b.png", "r/a.tif", "r/own.png"]
    assert [path.name for path in find_inputs([tmp_path / "r" / "a.png"])] == ["a.png"]
    (tmp_path / "c.nii.gz").write_bytes(PNG)
    assert find_volumes([tmp_path]) == [tmp_path / "c.nii.gz"]
