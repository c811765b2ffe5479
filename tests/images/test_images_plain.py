"""PNG, JPEG and TIFF."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from image_seeds import plain, truth

from spinetk.errors import InputError
from spinetk.images import read_picture

GREY8 = (truth() // 5).astype(np.uint8)
GREY16 = (truth() * 50).astype(np.uint16)
COLOUR = np.dstack([GREY8, 255 - GREY8, GREY8 // 2])
WEIGHTS = [0.299, 0.587, 0.114]


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8-bit", "16-bit"])
def test_grey_is_exact(tmp_path, kind, pixels):
    path = tmp_path / "a.bin"  # the content decides, not the name
    path.write_bytes(plain(pixels, kind))
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert (picture.kind, picture.pixels.dtype, picture.frame.spacing_mm) == (kind, np.float32, None)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_deep_colour_is_not_cut_to_8_bits(tmp_path, suffix):
    deep = COLOUR.astype(np.uint16) * 250 + 3
    cv2.imwrite(str(tmp_path / f"a{suffix}"), deep[..., ::-1])
    np.testing.assert_allclose(read_picture(tmp_path / f"a{suffix}").pixels, deep @ WEIGHTS, rtol=1e-5)


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_colour_becomes_luminance(tmp_path, kind):
    (tmp_path / "a").write_bytes(plain(COLOUR, kind))
    picture = read_picture(tmp_path / "a")
    np.testing.assert_allclose(picture.pixels, COLOUR @ WEIGHTS, rtol=1e-5)
    assert "colour was reduced to luminance" in picture.remarks


def test_transparent_pixels_are_padding(tmp_path):
    alpha = np.full(GREY8.shape, 255, np.uint8)
    alpha[:5] = 0
    (tmp_path / "a").write_bytes(plain(np.dstack([COLOUR, alpha]), "png"))
    picture = read_picture(tmp_path / "a")
    np.testing.assert_array_equal(picture.padding, alpha == 0)
    np.testing.assert_allclose(picture.pixels, COLOUR @ WEIGHTS, rtol=1e-5)


def test_palette_png(tmp_path):
    from PIL import Image

    Image.fromarray(GREY8).convert("RGB").quantize(64).save(tmp_path / "a.png")
    truth_ = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")) @ WEIGHTS
    np.testing.assert_allclose(read_picture(tmp_path / "a.png").pixels, truth_, rtol=1e-5)


@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8-bit", "16-bit"])
def test_white_is_zero_tiff_is_turned_over(tmp_path, pixels):
    """TIFF 6.0 tag 262 = 0: the stored value 0 is white."""
    import struct

    top = np.iinfo(pixels.dtype).max
    code = plain(top - pixels, "tiff")
    entry = struct.pack("<HHLHH", 262, 3, 1, 1, 0)
    assert entry in code
    (tmp_path / "a.tif").write_bytes(code.replace(entry, struct.pack("<HHLHH", 262, 3, 1, 0, 0)))
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.inverted


def test_users_spacing(tmp_path):
    (tmp_path / "a.png").write_bytes(plain(GREY8, "png"))
    frame = read_picture(tmp_path / "a.png", spacing_mm=(0.4, 0.5)).frame
    assert (frame.spacing_mm, frame.spacing_source) == ((0.4, 0.5), "user")
    with pytest.raises(InputError, match="not plausible"):
        read_picture(tmp_path / "a.png", spacing_mm=(0, 0.5))


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff"])
def test_cut_files_are_refused(tmp_path, kind):
    rng = np.random.default_rng(0)
    code = plain(rng.integers(0, 255, (64, 64), dtype=np.uint8), kind)
    for share in (0.3, 0.6, 0.9):
        (tmp_path / "a").write_bytes(code[: int(len(code) * share)])
        with pytest.raises(InputError):
            read_picture(tmp_path / "a")
