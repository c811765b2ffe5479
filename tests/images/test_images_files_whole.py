"""Files, their kinds and names, and plain pictures: what is found in each, byte for byte, and what is said of it."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import logging
import os
import struct
import warnings
import zlib

import cv2
import numpy as np
import pytest
from image_seeds import dicom, plain, to_bytes
from PIL import Image

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import find_pictures, guard, read, read_picture, walk
from spinetk.images.foreground import foreground, may_be_inverted
from spinetk.images.identity import case_id, keyed_id, safe_name
from spinetk.images.info import describe
from spinetk.images.kind import sniff
from spinetk.images.plain import to_grey
from spinetk.images.walk import list_files
from spinetk.images.window import _limits, _scaled, to_uint8

COPY = "(export or copy the file again)"
WEIGHTS = np.array([0.299, 0.587, 0.114])
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


def test_libraries_are_quiet_for_as_long_as_they_read(caplog):
    log = logging.getLogger("pydicom")
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


# --- plain pictures ---


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def png(*chunks: bytes, width=4, height=3) -> bytes:
    head = chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks)


LINES = zlib.compress(b"".join(b"\0" + row.tobytes() for row in GREY))
END = chunk(b"IEND", b"")


def test_pngs_chunk_by_chunk(tmp_path, monkeypatch):
    path = tmp_path / "a.png"

    def written(data):
        path.write_bytes(data)
        return path

    whole = png(chunk(b"IDAT", LINES), END)
    assert (read_picture(written(whole)).pixels == GREY).all()
    assert read_picture(path).remarks == ()
    with_more = png(chunk(b"tEXt", b"PLANTED\0x"), chunk(b"IDAT", LINES[:9]), chunk(b"IDAT", LINES[9:]), END)
    assert (read_picture(written(with_more)).pixels == GREY).all()
    for cut in (whole[:-12], whole[:-5] + b"", png(b"\x7f\xff\xff\xffIDAT" + LINES, END)):
        said = line(read_picture, written(cut))
        assert said in (f"a.png: is cut short or damaged {COPY}", f"a.png: is not a readable PNG file {COPY}") or (
            cut == whole[:-5] and (read_picture(path).pixels == GREY).all()
        )
    monkeypatch.setattr("spinetk.images.plain.MAX_CHUNKS", 3)
    assert (read_picture(written(whole)).pixels == GREY).all()
    assert line(read_picture, written(with_more)) == f"a.png: is cut short or damaged {COPY}"
    assert line(read_picture, written(png(chunk(b"IDAT", LINES), END, width=40_000, height=40_001))).startswith(
        "a.png: claims"
    )


MODES = {
    "1": (255 * (GREY > 5), ()),
    "L": (GREY, ()),
    "I;16": (GREY.astype(np.uint16) * 1000, ()),
    "F": (GREY / 8, ()),
    "I": (GREY.astype(np.int32) * 100_000, ()),
}


@pytest.mark.parametrize("mode", MODES)
def test_grey_pictures_of_every_depth(tmp_path, mode):
    values, said = MODES[mode]
    image = Image.fromarray(GREY > 5) if mode == "1" else Image.fromarray(values)
    assert image.mode == mode
    for suffix in ("png", "tif") if mode in ("1", "L", "I;16") else ("tif",):
        image.save(tmp_path / f"a.{suffix}")
        picture = read_picture(tmp_path / f"a.{suffix}")
        assert picture.pixels.tolist() == values.tolist()
        assert (picture.remarks, picture.padding, picture.inverted) == (said, None, False)


COLOUR = np.dstack([GREY * 9, GREY * 5 + 1, GREY * 2 + 7])
REDUCED = "colour was reduced to luminance"


def test_colours_of_every_kind(tmp_path):
    path = tmp_path / "a"
    luminance = COLOUR @ WEIGHTS
    alpha = np.full(GREY.shape, 255, np.uint8)
    alpha[0, 0], alpha[1, 1] = 0, 7
    left_out = "transparent pixels were left out"

    def found(image, kind, **options):
        image.save(path, kind, **options)
        picture = read_picture(path)
        return (
            picture.pixels,
            None if picture.padding is None else np.argwhere(picture.padding).tolist(),
            picture.remarks,
        )

    for kind in ("PNG", "TIFF"):
        pixels, padding, remarks = found(Image.fromarray(COLOUR), kind)
        np.testing.assert_allclose(pixels, luminance, atol=1e-4)
        assert (padding, remarks) == (None, (REDUCED,))
        pixels, padding, remarks = found(Image.fromarray(np.dstack([COLOUR, alpha])), kind)
        np.testing.assert_allclose(pixels, luminance, atol=1e-4)
        assert (padding, remarks) == ([[0, 0]], (left_out, REDUCED))
        pixels, padding, remarks = found(Image.fromarray(np.dstack([GREY, alpha])), kind)
        assert (pixels.tolist(), padding, remarks) == (GREY.tolist(), [[0, 0]], (left_out,))
        for even in (0, 255):  # a picture all of which is transparent is shown
            pixels, padding, remarks = found(Image.fromarray(np.dstack([COLOUR, alpha * 0 + even])), kind)
            assert (padding, remarks) == (None, (REDUCED,))
        pixels, padding, remarks = found(Image.fromarray(np.dstack([GREY] * 3)), kind)
        assert (pixels.tolist(), padding, remarks) == (GREY.tolist(), None, ())
    palette = Image.fromarray(GREY, "L").convert("P")
    palette.putpalette([v for k in range(256) for v in (k, 2 * k % 256, 7)])
    expected = np.dstack([GREY, GREY * 2, np.full_like(GREY, 7)]) @ WEIGHTS
    pixels, padding, remarks = found(palette, "PNG")
    np.testing.assert_allclose(pixels, expected, atol=1e-4)
    assert (padding, remarks) == (None, (REDUCED,))
    pixels, padding, remarks = found(palette, "PNG", transparency=5)
    np.testing.assert_allclose(pixels, expected, atol=1e-4)
    assert (padding, remarks) == ([[1, 1]], (left_out, REDUCED))
    cmyk = Image.fromarray(COLOUR).convert("CMYK")
    pixels, padding, remarks = found(cmyk, "TIFF")
    np.testing.assert_allclose(pixels, np.asarray(cmyk.convert("RGB")) @ WEIGHTS, atol=1e-4)
    assert (padding, remarks) == (None, (REDUCED,))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_deep_colours(tmp_path, suffix):
    """OpenCV writes blue, green, red, alpha."""
    path = tmp_path / f"a{suffix}"
    deep = COLOUR.astype(np.uint16) * 300 + 1
    alpha = np.full(GREY.shape, 65535, np.uint16)
    alpha[2, 3] = 0
    cv2.imwrite(str(path), deep[..., ::-1])
    picture = read_picture(path)
    np.testing.assert_allclose(picture.pixels, deep @ WEIGHTS, rtol=1e-6)
    assert (picture.padding, picture.remarks) == (None, (REDUCED,))
    cv2.imwrite(str(path), np.dstack([deep[..., ::-1], alpha]))
    picture = read_picture(path)
    np.testing.assert_allclose(picture.pixels, deep @ WEIGHTS, rtol=1e-6)
    assert np.argwhere(picture.padding).tolist() == [[2, 3]]
    assert picture.remarks == ("transparent pixels were left out", REDUCED)


def test_a_deep_colour_that_opencv_reads_otherwise(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), COLOUR.astype(np.uint16) * 300)
    for found in (None, np.zeros((4, 3, 3), np.uint16)):
        monkeypatch.setattr(cv2, "imdecode", lambda *_, found=found: found)
        assert line(read_picture, path) == f"a.png: is damaged {COPY}"


@pytest.mark.parametrize(("kind", "words"), [("TIFF", "pages"), ("PNG", "frames")])
def test_pictures_of_several_pages(tmp_path, kind, words):
    first, *others = (Image.fromarray(GREY + k) for k in range(3))
    first.save(tmp_path / "a", kind, save_all=True, append_images=others)
    picture = read_picture(tmp_path / "a")
    assert picture.remarks == (f"the first of 3 {words} was read",)
    assert (picture.pixels == GREY).all()


def test_a_bomb_by_its_header(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    path = tmp_path / "a.png"
    path.write_bytes(plain(GREY, "png"))
    assert line(read_picture, path) == f"a.png: claims an absurd number of pixels {COPY}"


def test_grey_of_values(tmp_path):
    remarks: list[str] = []
    assert to_grey(GREY[..., None], remarks).tolist() == GREY.tolist()
    assert to_grey(np.dstack([GREY] * 3), remarks).tolist() == GREY.tolist()
    assert remarks == []
    np.testing.assert_allclose(to_grey(COLOUR, remarks), COLOUR @ WEIGHTS, atol=1e-4)
    assert remarks == [REDUCED]
    assert to_grey(COLOUR, []).dtype == to_grey(GREY, []).dtype == np.float32


def test_resolutions_and_turns_of_a_plain_picture(tmp_path):
    exif = Image.Exif()
    exif[274] = 8
    path = tmp_path / "a.png"
    Image.fromarray(GREY).save(path, dpi=(300, 100), exif=exif)
    frame = read_picture(path).frame
    assert (frame.pixel_aspect, frame.exif_orientation) == (pytest.approx(3, rel=1e-3), 8)
    assert read_picture(path, spacing_mm=(1, 2)).frame == Frame((1, 2), "user", exif_orientation=8)
    assert describe(path)["size"] == [3, 4]
    Image.fromarray(GREY).save(tmp_path / "a.tif", tiffinfo={274: 5})
    assert describe(tmp_path / "a.tif")["size"] == [3, 4]
    Image.fromarray(GREY).save(tmp_path / "a.tif", tiffinfo={274: 4})
    assert describe(tmp_path / "a.tif")["size"] == [3, 4]


def test_a_plain_picture_too_large_to_be_read_is_described(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(chunk(b"IDAT", LINES), END, width=8000, height=9000))
    content = describe(path)
    assert (content["readable"], content["size"], content["bits"]) == (False, [9000, 8000], "8")
    assert content["warnings"] == [f"claims 8000 x 9000 pixels from {path.stat().st_size} bytes"]
    assert line(read_picture, path) == f"a.png: {content['warnings'][0]} {COPY}"


# --- the 8-bit window ---


def test_windows_worked_by_hand():
    """Of 1, 1, 1, 9 the mean is 3 and the deviation the root of 12; 0 counts for neither, but is the least shown."""
    high = 3 + 12**0.5
    values = np.array([[0, 1, 1, 1, 9]])
    assert _limits(3, 12**0.5, 0, 9, 1) == pytest.approx((0, high))
    assert _limits(3, 12**0.5, 1, 4, 0.5) == pytest.approx((3 - 3**0.5, 4))
    assert _limits(3, 0, 0, 9, 1) is None
    assert _scaled(np.array([0.0, 1, 3, 9]), 1, 5).tolist() == [0, 0, 127.5, 255]
    expected = [0, *[round(255 / high)] * 3, 255]
    for factor in (1, 300, 0.5, 1e-35, 1e35):  # bytes, words, fractions, numbers out of the ordinary
        assert to_uint8(values * factor, clip_sd=1).tolist() == [expected]
        nothing, most, least = values < 0, values == 9, values == 0
        assert to_uint8(values * factor, nothing, 1).tolist() == [expected]
        assert not to_uint8(values * factor, most).any()  # 1 alone is left
        assert to_uint8(values * factor, least, 1).tolist() == [[0, 0, 0, 0, 255]]
        assert not to_uint8(values * factor, ~nothing).any()
        assert not to_uint8(values * 0 + factor).any()
        assert not to_uint8(values * 0 * factor).any()
    assert to_uint8(-values, clip_sd=1).tolist() == [[255, *[255 - round(255 / high)] * 3, 0]]
    spoilt = np.array([[np.nan, 0, 1, 1, 1, 9, np.inf, -np.inf]])
    assert to_uint8(spoilt, clip_sd=1).tolist() == [[0, *expected, 0, 0]]
    assert to_uint8(spoilt, spoilt == 9, 1).tolist() == [[0] * 8]
    # Two and a half deviations are usual: 3 + 2.5 of 3.46 is more than 9 is.
    assert to_uint8(values).tolist() == [[0, 28, 28, 28, 255]]


# --- masks ---


def labels(count, top):
    return f"it holds {count} values beside 0, up to {top}: all of them count as marked"


def test_shares_count_from_one_half():
    values = np.array([0, 0.1, 0.2, 0.49, 0.5, 0.6, 1.0])
    found, said = foreground(values)
    assert found.tolist() == [False] * 4 + [True] * 3
    assert said == "its values are shares up to 1: half and more counts as marked"
    assert foreground(values[[0, 1, 2, 3, 6]])[1] == labels(4, 1)  # three values between may be labels
    assert foreground(values[[0, 1, 2, 3, 5, 6]])[1] == said
    assert foreground(np.array([0, 1, 2, 3, 4, 5.0]))[1] == labels(5, 5)
    assert foreground(np.array([0, 1, 2, 3, 4, 4.5]))[1] == labels(5, 4.5)  # the greatest is none between
    assert (
        foreground(np.array([0, 1, 2, 3, 3.5, 4.5]))[1]
        == "its values are shares up to 4.5: half and more counts as marked"
    )
    assert foreground(np.array([0, 0.0009, 0.0011, 1]))[0].tolist() == [False, False, True, True]
    assert foreground(np.array([0, 0.0009, 0.0011, 2]))[0].tolist() == [False, False, True, True]
    assert foreground(np.array([0, 0.00009, 0.00011, 0.1]))[0].tolist() == [False, False, True, True]
    mask = np.array([True, False])
    found, said = foreground(mask)
    assert (found.tolist(), said) == ([True, False], None)
    assert found is not mask


def ramp(*, even: int, slope=(60, 100, 140), full: int = 3, top: int = 255):
    """Values on a slope, as many that are not, and some that are nearly full."""
    beside = [value for _ in range(even) for value in (0, 30, 30)]
    return np.array([0, *slope, top, 0, *beside, 0, *[top, 0] * full])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_shades_of_whole_numbers(kind):
    def said(values):
        found = [foreground(turned.astype(kind))[1] for turned in (values, values[::-1], values[:, None], values[None])]
        assert len(set(found)) == 1
        return found[0]

    half = "its values are shares up to {}: half and more counts as marked"
    slope = (20, 60, 100, 140)
    assert said(ramp(even=4, slope=slope)) == half.format(255)  # 4 of 12 lie on a slope
    assert said(ramp(even=5, slope=slope)) == labels(6, 255)  # 4 of 14
    assert said(ramp(even=0, slope=slope, top=250)) == half.format(250)
    assert said(ramp(even=0, slope=slope, top=249)) == labels(5, 249)
    long = (*range(10, 240, 6),)  # 39 of them
    assert said(ramp(even=0, slope=long, full=4)) == half.format(255)  # five of 44 are full
    assert said(ramp(even=0, slope=long, full=3)) == labels(40, 255)  # four of 43
    if kind == np.uint16:
        assert said(np.array([0, 9000, 20000, 30000, 40000, 65535])) == half.format("6.554e+04")
        assert said(np.array([0, 9000, 20000, 30000, 40000, 60000])) == labels(5, 60000)


def test_half_a_mask_is_no_background():
    assert not may_be_inverted(np.array([True, False, False, True]))
    assert may_be_inverted(np.array([True, True, False, True]))
    assert not may_be_inverted(np.array([[True, True, True], [True, True, False]]))
