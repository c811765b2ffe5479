"""PNG, JPEG and TIFF."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import pytest
from image_seeds import plain, truth
from PIL import Image, ImageOps

from spinetk.errors import InputError
from spinetk.images import read_picture
from spinetk.images.info import describe
from spinetk.images.kind import sniff
from spinetk.upright import upright

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


def test_deep_colour_in_planes_is_refused(tmp_path):
    """As tifffile and ImageJ write a stack of three slices: OpenCV takes the planes for one picture of mixed pixels."""
    deep = (COLOUR.astype("<u2") * 250 + 3).transpose(2, 0, 1)
    (_, height, width), data = deep.shape, deep.tobytes()
    tags = [(256, 4, width), (257, 4, height), (258, 3, 3), (259, 3, 1), (262, 3, 2), (273, 4, 3), (277, 3, 3),
            (278, 4, height), (279, 4, 3), (284, 3, 2)]  # fmt: skip
    after = 8 + 2 + 12 * len(tags) + 4
    arrays = {258: struct.pack("<3H", 16, 16, 16), 273: b"", 279: struct.pack("<3L", *[2 * height * width] * 3)}
    arrays[273] = struct.pack("<3L", *(after + 30 + 2 * height * width * k for k in range(3)))
    entries, at = b"", after
    for tag, kind, value in tags:
        count, own = (3, at) if tag in arrays else (1, value)
        at += len(arrays.get(tag, b""))
        entries += struct.pack("<HHLL", tag, kind, count, own)
    head = struct.pack("<2sHLH", b"II", 42, 8, len(tags)) + entries + struct.pack("<L", 0)
    (tmp_path / "a.tif").write_bytes(head + b"".join(arrays[tag] for tag in (258, 273, 279)) + data)
    with Image.open(tmp_path / "a.tif") as header:
        assert (header.size, header.tag_v2[284]) == ((width, height), 2)
    with pytest.raises(InputError, match="stores 3 channels of 16 bits one after the other"):
        read_picture(tmp_path / "a.tif")


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


def tiff(values, white_is_zero=False):
    """A grey TIFF of one strip, made by hand: its samples have the sign of their type (tag 339)."""
    height, width = values.shape
    form = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    tags = {
        256: width,
        257: height,
        258: 8 * values.dtype.itemsize,
        259: 1,
        262: int(not white_is_zero),
        273: 8,
        277: 1,
    }
    tags |= {278: height, 279: values.nbytes, 339: form}
    entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags.items())
    body = values.tobytes()
    return b"II*\0" + struct.pack("<L", 8 + len(body)) + body + struct.pack("<H", len(tags)) + entries + b"\0" * 4


@pytest.mark.parametrize(
    ("kind", "least", "step"),
    [("u1", 0, 1), ("i1", -128, 1), ("u2", 0, 200), ("i2", -20000, 200), ("i4", -100_000, 1000), ("u4", 0, 16_000_000),
     ("f4", -1.5, 0.25)],
)  # fmt: skip
def test_samples_of_a_tiff_have_the_sign_of_their_type(tmp_path, kind, least, step):
    values = (least + step * np.arange(256).reshape(16, 16)).astype(kind)
    (tmp_path / "a.tif").write_bytes(tiff(values))
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.pixels, values.astype(np.float32))
    assert not picture.inverted


def test_white_is_zero_floats_are_turned_over_within_their_range(tmp_path):
    values = np.arange(1, 13, dtype=np.float32).reshape(3, 4) / 8
    values[0, 0] = np.nan
    (tmp_path / "a.tif").write_bytes(tiff(values, white_is_zero=True))
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.padding, np.isnan(values))
    np.testing.assert_allclose(picture.pixels[~picture.padding], (14 / 8 - values)[~np.isnan(values)])
    assert picture.inverted


def test_users_spacing(tmp_path):
    (tmp_path / "a.png").write_bytes(plain(GREY8, "png"))
    frame = read_picture(tmp_path / "a.png", spacing_mm=(0.4, 0.5)).frame
    assert (frame.spacing_mm, frame.spacing_source) == ((0.4, 0.5), "user")
    with pytest.raises(InputError, match="not plausible"):
        read_picture(tmp_path / "a.png", spacing_mm=(0, 0.5))


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "bmp"])
def test_cut_files_are_refused(tmp_path, kind):
    rng = np.random.default_rng(0)
    code = plain(rng.integers(0, 255, (64, 64), dtype=np.uint8), kind)
    for share in (0.3, 0.6, 0.9):
        (tmp_path / "a").write_bytes(code[: int(len(code) * share)])
        with pytest.raises(InputError):
            read_picture(tmp_path / "a")


def turned(pixels: np.ndarray, kind: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    options = {"jpeg": {"exif": exif, "quality": 100}, "png": {"exif": exif}, "tiff": {"tiffinfo": {274: orientation}}}
    return plain(pixels, kind, **options[kind])


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_upright_picture_and_leaves_the_stored_one(tmp_path, kind, orientation):
    """Pillow's exif_transpose is the judge (of bytes: it scrambles named TIFFs); stored is what was saved."""
    path = tmp_path / "film"
    path.write_bytes(turned(GREY8, kind, orientation))
    picture = read_picture(path)
    np.testing.assert_allclose(picture.pixels, GREY8, atol=0 if kind != "jpeg" else 6)
    standing, _ = upright(picture.pixels, picture.frame)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(path.read_bytes()))))
    np.testing.assert_array_equal(standing, expected)
    assert sum("EXIF" in remark for remark in picture.remarks) == (orientation != 1)
    content = describe(path)
    assert (content["size"], content["exif_orientation"]) == (list(GREY8.shape), orientation)
    assert content["remarks"] == list(picture.remarks)


def test_a_deep_colour_tiff_is_turned_as_well(tmp_path):
    deep = COLOUR.astype(np.uint16) * 250 + 3
    cv2.imwrite(str(tmp_path / "a.tiff"), deep[..., ::-1])
    data = (tmp_path / "a.tiff").read_bytes()
    tagged = tmp_path / "b.tiff"
    tagged.write_bytes(with_tag(data, 274, 6))
    picture = read_picture(tagged)
    assert picture.frame.exif_orientation == 6
    np.testing.assert_allclose(picture.pixels, deep @ WEIGHTS, rtol=1e-5)


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF whose first directory got one more SHORT entry."""
    assert data[:4] == b"II*\0"
    start = struct.unpack_from("<L", data, 4)[0]
    count = struct.unpack_from("<H", data, start)[0]
    entries = [data[start + 2 + 12 * k : start + 14 + 12 * k] for k in range(count)]
    entries = [entry for entry in entries if struct.unpack_from("<H", entry)[0] != tag]
    entries.append(struct.pack("<HHLHH", tag, 3, 1, value, 0))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
    return data[:4] + struct.pack("<L", len(data)) + data[8:] + directory


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff"])
@pytest.mark.parametrize("value", [0, 9])
def test_an_orientation_that_exif_does_not_have_is_one_remark(tmp_path, kind, value):
    (tmp_path / "film").write_bytes(turned(GREY8, kind, value))
    picture = read_picture(tmp_path / "film")
    assert picture.frame.exif_orientation == 1
    assert picture.remarks == (f"EXIF orientation {value} is none of 1 to 8 and was ignored",)


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff"])
def test_resolutions_that_differ_shape_the_pixels(tmp_path, kind):
    (tmp_path / "film").write_bytes(plain(GREY8, kind, dpi=(300, 150)))
    picture = read_picture(tmp_path / "film")
    assert picture.frame.pixel_aspect == pytest.approx(2, rel=1e-3)  # 150 dots an inch downwards: twice as high
    assert picture.frame.spacing_mm is None
    (tmp_path / "film").write_bytes(plain(GREY8, kind, dpi=(300, 300)))
    assert read_picture(tmp_path / "film").frame.pixel_aspect is None


def test_resolutions_that_cannot_be_are_one_remark(tmp_path):
    data = plain(GREY8, "jpeg", dpi=(300, 150))
    at = data.index(b"JFIF\0") + 7
    (tmp_path / "film").write_bytes(data[: at + 1] + b"\1\x2c\0\0" + data[at + 5 :])
    picture = read_picture(tmp_path / "film")
    assert picture.frame.pixel_aspect is None
    assert picture.remarks == ("resolutions across and down are not plausible and were ignored",)


@pytest.mark.parametrize("head", ["II*\0", "MM\0*", "II+\0", "MM\0+"], ids=repr)
def test_every_kind_of_tiff_is_known_by_its_first_bytes(tmp_path, head):
    (tmp_path / "a.bin").write_bytes(head.encode() + bytes(100))
    assert sniff(tmp_path / "a.bin") == "tiff"


def test_a_bigtiff_is_read(tmp_path):
    from PIL import Image

    Image.fromarray(GREY16).save(tmp_path / "a.tif", big_tiff=True)
    assert (tmp_path / "a.tif").read_bytes()[:4] == b"II+\0"
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, GREY16)


def test_further_frames_of_a_moving_png_are_said(tmp_path):
    first, *others = (Image.fromarray(np.full((40, 40), value, np.uint8)) for value in (10, 90, 200))
    first.save(tmp_path / "moving.png", save_all=True, append_images=others)
    first.save(tmp_path / "still.png")
    picture = read_picture(tmp_path / "moving.png")
    assert (picture.pixels == 10).all()
    assert picture.remarks == ("the first of 3 frames was read",)
    assert read_picture(tmp_path / "still.png").remarks == ()


def test_pixels_of_a_tiff_that_are_no_number_are_left_out(tmp_path):
    values = np.arange(1600, dtype=np.float32).reshape(40, 40)
    values[3:9, 5] = np.nan
    values[20, 20] = np.inf
    Image.fromarray(values).save(tmp_path / "a.tif")
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.padding, ~np.isfinite(values))
    np.testing.assert_array_equal(picture.pixels[~picture.padding], values[np.isfinite(values)])
    assert "pixels that are not finite were left out" in picture.remarks
    Image.fromarray(np.full((40, 40), np.nan, np.float32)).save(tmp_path / "b.tif")
    with pytest.raises(InputError, match="no pixel that is a number"):
        read_picture(tmp_path / "b.tif")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_a_bmp_is_read_as_the_png_of_the_same_picture(tmp_path, mode):
    rng = np.random.default_rng(3)
    picture = Image.fromarray(rng.integers(0, 255, (40, 33, 3), dtype=np.uint8)).convert(mode)
    for kind in ("bmp", "png"):
        picture.save(tmp_path / f"a.{kind}")
    bmp, png = (read_picture(tmp_path / f"a.{kind}") for kind in ("bmp", "png"))
    np.testing.assert_array_equal(bmp.pixels, png.pixels)
    assert (bmp.kind, bmp.frame, bmp.remarks) == ("bmp", png.frame, png.remarks)
    assert describe(tmp_path / "a.bmp", decode=True)["size"] == [40, 33]


@pytest.mark.parametrize(
    ("kind", "name"), [("gif", "GIF"), ("webp", "WebP or AVI"), ("jp2", "JPEG 2000"), ("pdf", "PDF")]
)
def test_pictures_of_other_kinds_are_refused_by_their_names(tmp_path, kind, name):
    Image.fromarray(np.zeros((40, 33), np.uint8)).save(tmp_path / f"a.{kind}")
    with pytest.raises(InputError) as error:
        read_picture(tmp_path / f"a.{kind}")
    assert str(error.value) == f"{tmp_path / f'a.{kind}'}: is a {name} file, which is not read (save it as PNG)"


def test_what_begins_like_a_bmp_alone_is_none(tmp_path):
    (tmp_path / "a").write_bytes(b"BM" + bytes(300))
    with pytest.raises(InputError, match="is not a picture this toolkit reads"):
        read_picture(tmp_path / "a")
