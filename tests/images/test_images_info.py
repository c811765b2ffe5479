"""`describe`, `render` and case ids: right, strict, and silent about the patient."""

from __future__ import annotations

import json
import re
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_seeds import PLANTED, dicom, seeds, to_bytes, truth
from pydicom.uid import JPEGLSLossless

from spinetk.errors import InputError
from spinetk.images import read_picture
from spinetk.images.identity import MAX_LENGTH, case_id, safe_name
from spinetk.images.info import describe, render


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
    if content["frames"] == 1 and picture.kind not in ("nifti", "nrrd"):
        assert content["size"] == list(picture.pixels.shape)
        assert content["spacing_mm"] == (list(picture.frame.spacing_mm) if picture.frame.spacing_mm else None)
        assert (content["view"], content["modality"]) == (picture.view, picture.modality)


def test_no_patient_text_comes_out_anywhere(seed):
    said = [json.dumps(describe(seed)), render(describe(seed)), *read_picture(seed).remarks, case_id(seed, "salt")]
    assert not any(planted.lower() in text.lower() for text in said for planted in PLANTED)


def test_facts_of_a_radiograph(tmp_path):
    tags = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11, "BurnedInAnnotation": "YES"}
    tags |= {"ImagerPixelSpacing": [0.14, 0.15], "PatientOrientation": ["A", "F"], "ViewPosition": "LL"}
    path = tmp_path / "a.dcm"
    path.write_bytes(to_bytes(dicom(truth().astype(np.uint16), JPEGLSLossless, **tags)))
    content = describe(path)
    expected = {
        "kind": "dicom",
        "size": [24, 20],
        "modality": "DX",
        "view": "lateral",
        "spacing_mm": [0.14, 0.15],
        "spacing_source": "ImagerPixelSpacing",
        "orientation": ["A", "F"],
        "anterior": "right",
        "polarity": "inverse",
        "transfer_syntax": "JPEG-LS Lossless Image Compression",
        "bits": "12 of 16",
    }
    assert {key: content[key] for key in expected} == expected
    assert "BurnedInAnnotation is YES" in content["warnings"][0]
    assert "WARNING" in render(content)


def test_files_without_readable_pixels_are_still_described(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(to_bytes(dicom(truth().astype(np.uint16)))[:-100])
    content = describe(path)
    assert not content["readable"]
    assert "cut short" in content["warnings"][0]
    assert content["size"] == [24, 20]


def test_series_folder(tmp_path):
    for index in range(3):
        ds = dicom(Modality="MR", ImageOrientationPatient=[0, 1, 0, 0, 0, -1], ImagePositionPatient=[index, 0, 0])
        (tmp_path / f"{index}.dcm").write_bytes(to_bytes(ds))
    content = describe(tmp_path)
    assert (content["kind"], content["frames"], content["file"]) == ("series", 3, str(tmp_path))
    assert case_id(tmp_path, "a") == case_id(tmp_path, "a")


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
