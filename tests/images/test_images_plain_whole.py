"""PNG, JPEG and TIFF, the 8-bit window and masks: every kind, value for value."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from image_seeds import plain
from PIL import Image
from test_images_files_whole import COPY, GREY, line

from spinetk.geometry import Frame
from spinetk.images import read_picture
from spinetk.images.foreground import foreground, may_be_inverted
from spinetk.images.info import describe
from spinetk.images.plain import to_grey
from spinetk.images.window import _limits, _scaled, to_uint8

WEIGHTS = np.array([0.299, 0.587, 0.114])


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


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(("kind", "words"), [("TIFF", "pages"), ("PNG", "frames")])
def test_pictures_of_several_pages(tmp_path, kind, words, count):
    first, *others = (Image.fromarray(GREY + k) for k in range(count))
    first.save(tmp_path / "a", kind, save_all=True, append_images=others)
    picture = read_picture(tmp_path / "a")
    assert picture.remarks == (f"the first of {count} {words} was read",)
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
