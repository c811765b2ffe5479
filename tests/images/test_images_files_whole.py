"""Files, their kinds and names, and plain pictures: what is found in each, byte for byte, and what is said of it."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import os
import warnings

import numpy as np
import pytest
from image_seeds import dicom, plain, to_bytes

from spinetk.errors import InputError
from spinetk.images import find_pictures, guard, read, read_picture, walk
from spinetk.images.identity import case_id, keyed_id, safe_name
from spinetk.images.info import describe
from spinetk.images.kind import sniff
from spinetk.images.walk import list_files

COPY = "(export or copy the file again)"
GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


def line(call, *arguments, **options) -> str:
    with pytest.raises(InputError) as error:
        call(*arguments, **options)
    return str(error.value).rsplit("/", 1)[-1]


# --- kinds ---

NIFTI = bytes(344)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (bytes(128) + b"DICM", "dicom"),
        (b"II*\0" + bytes(124) + b"DICM", "dicom"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\x89PNG\r\n\x1a\r", "dicom"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"\xff\xd8\0", "dicom"),
        (b"II*\0", "tiff"),
        (b"MM\0*", "tiff"),
        (b"II+\0", "tiff"),
        (b"MM\0+", "tiff"),
        (b"MM*\0", "dicom"),
        (b"NRRD", "nrrd"),
        (b"nrrd", "dicom"),
        (NIFTI + b"n+1\0", "nifti"),
        (NIFTI + b"ni1\0", "nifti"),
        (NIFTI + b"n+1", "dicom"),
        (NIFTI[1:] + b"n+1\0", "dicom"),
        (bytes(4) + b"n+2\0\r\n\x1a\n", "nifti"),
        (bytes(4) + b"ni2\0\r\n\x1a\n", "nifti"),
        (bytes(4) + b"n+2\0\n\r\x1a\n", "dicom"),
        (gzip.compress(NIFTI + b"n+1\0"), "nifti"),
        (gzip.compress(NIFTI[:300]) + gzip.compress(bytes(44) + b"n+1\0"), "nifti"),
        (gzip.compress(bytes(4) + b"n+2\0\r\n\x1a\n"), "nifti"),
        (gzip.compress(NIFTI + b"n+1\0")[:12], "dicom"),
        (b"\x1f\x8b" + NIFTI[2:] + b"n+1\0", "dicom"),  # packed by its first bytes, and not by those that follow
        (gzip.compress(b"NRRD"), "dicom"),
        (b"", "dicom"),
    ],
)
def test_kinds_by_their_first_bytes(tmp_path, content, kind):
    (tmp_path / "a").write_bytes(content)
    assert sniff(tmp_path / "a") == kind


# --- folders ---


def test_as_many_files_as_there_may_be(tmp_path, monkeypatch):
    inner = tmp_path / "inner"
    inner.mkdir()
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(b"x")
    (inner / "c").write_bytes(b"x")
    monkeypatch.setattr(walk, "MAX_FILES", 4)
    assert [path.name for path in find_pictures([tmp_path])] == ["a", "b", "c"]
    assert [path.name for path in list_files(tmp_path)] == ["a", "b"]
    monkeypatch.setattr(walk, "MAX_FILES", 3)  # three in the folder, and one in the other
    with pytest.raises(InputError) as error:
        list(find_pictures([tmp_path]))
    assert str(error.value) == f"{tmp_path}: holds more than 3 files (give smaller folders)"
    assert len(list_files(tmp_path)) == 2
    monkeypatch.setattr(walk, "MAX_FILES", 2)
    for call in (list_files, lambda folder: list(find_pictures([folder]))):
        with pytest.raises(InputError) as error:
            call(tmp_path)
        assert str(error.value) == f"{tmp_path}: holds more than 2 files (give smaller folders)"
    with pytest.raises(InputError) as error:
        list_files(tmp_path / "none")
    assert str(error.value) == f"{tmp_path / 'none'}: cannot be listed (check the path and its permissions)"


def test_folders_as_deep_as_they_may_be(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "MAX_DEPTH", 2)
    folder = tmp_path
    for depth in range(4):
        (folder / f"file{depth}").write_bytes(b"x")
        folder = folder / "a"
        folder.mkdir()
    assert [path.name for path in find_pictures([tmp_path])] == ["file2", "file1", "file0"][::-1]


def test_candidates_by_their_names(tmp_path):
    for name in ("a.json", "a.JSON", "b.gz", "c.nii.gz", "d.NII.GZ", "e.txt.dcm", "DICOMDIR", "dicomdir", ".f", "g"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in list_files(tmp_path)] == ["c.nii.gz", "d.NII.GZ", "e.txt.dcm", "g"]


# --- names ---


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("con", "_con"), ("COM1", "_COM1"), ("lpt9.png", "_lpt9.png"), ("nul.a.b", "_nul.a.b"), ("a b", "a_b"),
        ("\xe9t\xe9", "ete"), ("-.a", "a"), ("a..", "a"), ("\ud800x", "_x"), ("x" * 65, "x" * 55), ("_.", "case"),
        ("a/b", "a_b"),
    ],
)  # fmt: skip
def test_names_that_had_to_be_changed(text, start):
    assert safe_name(text) == f"{start}-{hashed(text)}"


@pytest.mark.parametrize("text", ["x" * 64, "console", "com", "com10", "__", "a-._b", "_a", "A9"])
def test_names_that_stay(text):
    assert safe_name(text) == text


def digest(value: bytes, salt: str = "salt") -> str:
    return hmac.new(salt.encode(), value, hashlib.sha256).hexdigest()[:16]


def test_names_of_cases(tmp_path):
    """HMAC-SHA-256 of the UID, of a file without one of its own hash."""
    place = {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}
    ds = dicom(SOPInstanceUID="1.2.3", SeriesInstanceUID="1.2.9", ImagePositionPatient=[0, 0, 0], **place)
    folder = tmp_path / "series"
    folder.mkdir()
    assert case_id(folder, "salt") == "series"
    (folder / "b").write_bytes(to_bytes(ds))
    ds.SOPInstanceUID, ds.ImagePositionPatient = "1.2.4", [4, 0, 0]
    (folder / "c").write_bytes(to_bytes(ds))
    assert case_id(folder / "b", "salt") == digest(b"1.2.3") == keyed_id(" 1.2.3 ", "salt")
    assert keyed_id("1\ud800", "\ud800") == hmac.new(b"\xed\xa0\x80", b"1\xed\xa0\x80", "sha256").hexdigest()[:16]
    assert case_id(folder, "salt") == digest(b"1.2.9")
    assert case_id(str(folder), "pepper") == digest(b"1.2.9", "pepper")
    for name in "bc":
        del ds.SOPInstanceUID
        ds.SeriesInstanceUID, ds.SOPInstanceUID = "", ""
        ds.ImagePositionPatient = [ord(name), 0, 0]
        (folder / name).write_bytes(to_bytes(ds))
    of_bytes = digest(hashlib.sha256((folder / "b").read_bytes()).digest())
    assert case_id(folder / "b", "salt") == of_bytes
    assert case_id(folder, "salt") == of_bytes  # of its first slice
    (tmp_path / "no dicom").write_bytes(b"no picture")
    assert case_id(tmp_path / "no dicom", "salt") == digest(hashlib.sha256(b"no picture").digest())
    for name, stem in (("a.b.png", "a.b"), ("c.nii.gz", "c.nii")):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n")
        assert case_id(tmp_path / name, "salt") == stem.removesuffix(".nii")
    for name in ("c.nii.gz", "c.nii"):
        (tmp_path / name).write_bytes(gzip.compress(NIFTI + b"n+1\0"))
        assert case_id(tmp_path / name, "salt") == "c"
    assert line(case_id, tmp_path / "none", "salt") == "none: does not exist or cannot be reached (check the path)"


# --- guards ---


def test_libraries_are_quiet_for_as_long_as_they_read(caplog, pydicom_log):
    log = pydicom_log
    with guard.quiet():
        warnings.warn("PLANTED", stacklevel=1)
        log.warning("PLANTED")
    log.warning("heard")
    assert [record.message for record in caplog.records] == ["heard"]
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)
    assert all(guard._drop not in logger.filters for logger in guard.CHATTY)
    with pytest.raises(KeyError), guard.quiet():
        raise KeyError
    assert all(guard._drop not in logger.filters for logger in guard.CHATTY)


def test_native_decoders_are_quiet_for_as_long_as_they_run(capfd):
    before = set(os.listdir("/proc/self/fd"))
    with guard.silent_stderr():
        os.write(2, b"PLANTED")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
    with pytest.raises(KeyError), guard.silent_stderr():
        raise KeyError
    os.write(2, b"again")
    assert capfd.readouterr().err == "again"
    assert len(set(os.listdir("/proc/self/fd"))) == len(before)


def test_a_path_is_one_printable_line(tmp_path):
    assert guard.display_name(tmp_path / "a\nb\x1b\u202e.png") == f"{tmp_path}/a?b??.png"
    assert line(guard.regular_file, tmp_path / "a\nb") == "a?b: does not exist or cannot be reached (check the path)"
    os.mkfifo(tmp_path / "pipe")
    assert line(guard.regular_file, tmp_path / "pipe") == "pipe: is not an ordinary file (give a file or a folder)"
    (tmp_path / "empty").write_bytes(b"")
    assert line(guard.regular_file, tmp_path / "empty") == f"empty: is empty {COPY}"
    (tmp_path / "one").write_bytes(b"1")
    assert guard.regular_file(tmp_path / "one").st_size == 1
    assert line(guard.regular_file, tmp_path / "a\0b").startswith("a?b: does not exist or cannot be reached")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (MemoryError, "needs more memory than there is (crop or resample it first)"),
        (RecursionError, f"is nested too deeply to be a picture {COPY}"),
        (KeyError, f"is damaged (KeyError) {COPY}"),
    ],
)
def test_whatever_a_file_does_to_its_reader_is_one_line(tmp_path, monkeypatch, fault, said):
    def broken(*_):
        raise fault("PLANTED")

    monkeypatch.setattr(read, "_read", broken)
    assert line(read_picture, tmp_path / "a.png") == f"a.png: {said}"
    (tmp_path / "a.png").write_bytes(plain(GREY, "png"))
    monkeypatch.setattr("spinetk.images.info.plain_frame", broken)
    assert line(describe, tmp_path / "a.png") == f"a.png: is damaged ({fault.__name__}) (export it again)"


def test_what_only_the_pixels_show(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(plain(GREY, "png"))
    assert describe(path, decode=True) == describe(path)
    path.write_bytes(plain(np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8), "png")[:-40])
    content = describe(path, decode=True)
    assert (content["readable"], content["warnings"]) == (False, ["is cut short or damaged"])
    assert (content["size"], describe(path)["readable"]) == ([90, 90], True)
