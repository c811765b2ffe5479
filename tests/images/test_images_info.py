"""`describe`, `render` and case ids: right, strict, and silent about the patient."""

from __future__ import annotations

import hashlib
import json
import re
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_seeds import PLANTED, dicom, seeds, to_bytes, truth, volume
from PIL import Image

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import nifti, nrrd, read_picture
from spinetk.images.identity import MAX_LENGTH, case_id, safe_name
from spinetk.images.info import describe, render
from spinetk.images.orientation import facts_of


@pytest.fixture(params=[name for name in seeds() if not name.endswith(".json")])
def seed(request, tmp_path):
    path = tmp_path / request.param
    path.write_bytes(seeds()[request.param])
    return path


def test_every_kind_is_described_and_rendered(seed):
    content = describe(seed)
    picture = read_picture(seed)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert content["readable"]
    assert content["kind"] == picture.kind
    assert render(content).splitlines()[0] == str(seed)
    agrees(content, picture)


def agrees(content, picture):
    """What the header promises is what reading gives."""
    assert content["size"] == list(picture.pixels.shape)
    assert content["spacing_mm"] == (list(picture.frame.spacing_mm) if picture.frame.spacing_mm else None)
    assert content["spacing_source"] == picture.frame.spacing_source
    letters = [picture.frame.toward_right, picture.frame.toward_bottom]
    assert content["orientation"] == (letters if any(letters) else None)
    assert (content["view"], content["modality"]) == (picture.view, picture.modality)
    assert content["anterior"] == picture.frame.anterior


def test_no_patient_text_comes_out_anywhere(seed):
    said = [json.dumps(describe(seed)), render(describe(seed)), *read_picture(seed).remarks, case_id(seed, "salt")]
    assert not any(planted.lower() in text.lower() for text in said for planted in PLANTED)


def test_files_without_readable_pixels_are_still_described(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(to_bytes(dicom(truth().astype(np.uint16)))[:-100])
    content = describe(path)
    assert not content["readable"]
    assert "cut short" in content["warnings"][0]
    assert content["size"] == [24, 20]


@pytest.mark.parametrize(
    ("orientation", "step"),
    [([0, 1, 0, 0, 0, -1], [4, 0, 0]), ([1, 0, 0, 0, 1, 0], [0, 0, 2.5]), ([0, 1, 0, 1, 0, 0], [0, 0.5, 2])],
    ids=["sagittal", "axial", "turned-tilted"],
)
def test_series_folder_is_described_as_it_is_read(tmp_path, orientation, step):
    for index in (0, 1, 2, 3, 4, 7):
        place = [index * v for v in step]
        ds = dicom(Modality="MR", ImageOrientationPatient=orientation, ImagePositionPatient=place, PixelSpacing=[1, 1])
        ds.BurnedInAnnotation = "YES"
        (tmp_path / f"{9 - index}.dcm").write_bytes(to_bytes(ds))
    content = describe(tmp_path)
    assert (content["kind"], content["frames"], content["file"]) == ("series", 6, str(tmp_path))
    agrees(content, read_picture(tmp_path))
    spoken = "; ".join(content["remarks"])
    assert "6 slices, " in spoken
    assert "1 gap between slices" in spoken
    assert ("slice 3 of 6 is the picture read (central)" in spoken) == (step[0] == 4)
    assert len(content["warnings"]) == 1
    assert not any(planted in render(content) for planted in PLANTED)
    assert case_id(tmp_path, "a") == case_id(tmp_path, "a")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd"])
@pytest.mark.parametrize("direction", [(1, 0, 0, 0, 1, 0, 0, 0, 1), (0, 0, -1, 1, 0, 0, 0, -1, 0)])
def test_volumes_are_described_from_the_header(tmp_path, suffix, direction, monkeypatch):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(volume(np.ones((10, 14, 12), np.int16), suffix, (0.5, 1.0, 3.0), direction))
    picture = read_picture(path)
    monkeypatch.setattr(nifti, "read_voxels", None)
    monkeypatch.setattr(nrrd, "read_voxels", None)
    content = describe(path)
    agrees(content, picture)
    assert content["spacing_source"] == ("NRRD" if suffix == ".nrrd" else "NIfTI")
    assert content["orientation"] == ["P", "F"]
    assert "sagittal slice" in content["remarks"][0]


@pytest.mark.parametrize("data", [b"", b"nothing at all", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(InputError):
        describe(tmp_path / "a")


def test_dicom_case_ids_are_salted_hashes(tmp_path):
    path = tmp_path / "PLANTED Zyxwvut.dcm"
    path.write_bytes(to_bytes(dicom(SOPInstanceUID="1.2.3")))
    (tmp_path / "copy").write_bytes(to_bytes(dicom(SOPInstanceUID="1.2.3")))
    (tmp_path / "other").write_bytes(to_bytes(dicom(SOPInstanceUID="1.2.4")))
    assert re.fullmatch("[0-9a-f]{16}", case_id(path, "salt"))
    assert case_id(path, "salt") == case_id(tmp_path / "copy", "salt")
    assert len({case_id(path, "salt"), case_id(path, "pepper"), case_id(tmp_path / "other", "salt")}) == 3


@pytest.mark.filterwarnings("ignore:.*VR UI")
@pytest.mark.parametrize("uid", ["../../etc/passwd", "a" * 4000, "", "CON"])
def test_path_like_ids_stay_hashes(tmp_path, uid):
    ds = dicom()
    ds.add_new("SOPInstanceUID", "LT", uid)
    (tmp_path / "a").write_bytes(to_bytes(ds))
    assert re.fullmatch("[0-9a-f]{16}", case_id(tmp_path / "a", "salt"))


@pytest.mark.parametrize(
    ("text", "expected"), [("case_01", "case_01"), ("a.b-c", "a.b-c"), ("L3", "L3"), ("0" * 64, "0" * 64)]
)
def test_ordinary_names_stay(text, expected):
    assert safe_name(text) == expected


@settings(deadline=None)
@given(st.text())
def test_any_text_becomes_one_safe_path_component(text):
    name = safe_name(text)
    assert 0 < len(name) <= MAX_LENGTH
    assert set(name) <= set(string.ascii_letters + string.digits + "._-")
    assert name[0] not in ".-"
    assert name[-1] != "."
    assert name.split(".")[0].lower() not in ("con", "nul", "aux", "prn", "com1", "lpt1")


@pytest.mark.parametrize("pair", [("a b", "a_b"), ("é", "e"), ("x" * 100, "x" * 101), ("..", "."), ("", "..")])
def test_changed_names_do_not_collide(pair):
    assert safe_name(pair[0]) != safe_name(pair[1])


def test_stem_of_plain_files(tmp_path):
    for name, expected in (("a.png", "a"), ("b.nii.gz", "b"), ("c.nii", "c")):
        kind = next(key for key in ("cube.nii.gz", "cube.nii", "grey8.png") if name.endswith(key.partition(".")[2]))
        (tmp_path / name).write_bytes(seeds()[kind])
        assert case_id(tmp_path / name, "salt") == expected


@pytest.mark.parametrize("tag", [b"\x02\x00\x10\x00UI", b"\x08\x00\x60\x00CS"])
def test_what_a_damaged_length_swallows_is_not_shown(tmp_path, tag):
    """An element that is said to be longer holds those after it, the patient's name among them."""
    data = bytearray(seeds()["axial.dcm"])
    at = data.index(tag) + len(tag)
    end = data.index(PLANTED[0].encode()) + 20
    data[at : at + 2] = (end - at - 2).to_bytes(2, "little")
    path = tmp_path / "a.dcm"
    path.write_bytes(data)
    said = []
    try:
        content = describe(path)
        said = [json.dumps(content), render(content)]
    except InputError as error:
        said = [str(error)]
    assert not any(planted.upper() in text.upper() for planted in PLANTED for text in said)


def test_every_fact_of_a_frame_has_its_key_where_nothing_is_known():
    facts = facts_of(Frame())
    keys = "orientation", "pixel_aspect", "exif_orientation", "anterior"
    assert [facts[key] for key in keys] == [None, None, 1, None]


@pytest.mark.parametrize(
    ("text", "start"), [("???", "case"), ("\u9838\u690e", "case"), ("_\u690e_", "case"), ("XX?", "XX_")]
)
def test_a_name_of_which_nothing_is_left_is_a_case_with_a_hash(text, start):
    assert safe_name(text) == f"{start}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@pytest.mark.parametrize(("mode", "bits"), [("L", "8"), ("RGB", "8 x 3 (RGB)"), ("I;16", "16"), ("P", "8 (palette)")])
def test_bits_of_a_png_are_a_number(mode, bits, tmp_path):
    """Not the letters by which Pillow calls them."""
    Image.new(mode, (40, 50)).save(tmp_path / "a.png")
    assert describe(tmp_path / "a.png")["bits"] == bits
