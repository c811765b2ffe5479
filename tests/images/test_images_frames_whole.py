"""Frames of DICOM files: turned over, one of several, packed; value for value."""

from __future__ import annotations

import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from image_seeds import dicom, head, to_bytes
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, RLELossless
from test_images_grey_whole import WINDOW

from spinetk.errors import InputError
from spinetk.images import frames, read_picture
from spinetk.images.decode import check_pixels, decode_frame
from spinetk.images.display import _limits, to_display
from spinetk.images.frames import grey, values_of
from spinetk.images.headers import open_header

COPY = "(export or copy the file again)"
DEFLATED_FRAMES = b"1.2.840.10008.1.2.8.1\0"
STANDS_FOR = JPEGBaseline8Bit.encode()  # pydicom writes no syntax that it does not know
INVERTED = "the grey scale is stored inverted and was inverted back"


# --- turning over ---


@pytest.mark.parametrize(
    ("kind", "bits", "tags", "ends"),
    [
        (np.uint8, None, {}, (0, 255)),
        (np.int8, None, {}, (-128, 127)),
        (np.uint16, 12, {}, (0, 4095)),
        (np.int16, 12, {}, (-2048, 2047)),
        (np.uint16, 1, {}, (0, 1)),
        (np.uint16, 40, {}, (0, 65535)),
        (np.uint32, 32, {}, (0, (1 << 24) - 1)),
        (np.int32, None, {}, (-(1 << 23), (1 << 23) - 1)),
        (np.uint16, 12, {"RescaleSlope": 2, "RescaleIntercept": -10}, (-10, 8180)),
        (np.uint16, 12, {"RescaleSlope": -2}, (-8190, 0)),
    ],
)
def test_what_can_be_stored_stands_for(kind, bits, tags, ends):
    ds = head(**tags) if bits is None else head(BitsStored=bits, **tags)
    assert _limits(np.zeros((1, 1), kind), ds, 0) == ends


def shown(stored, padding=None, window=True, **tags):
    remarks: list[str] = []
    grey_, inverted = to_display(stored, head(**tags), 0, padding, remarks, window)
    assert (grey_.dtype, grey_.flags.c_contiguous) == (np.float32, True)
    return grey_.tolist(), inverted, remarks


@pytest.mark.parametrize(
    "tags", [{"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"},
             {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}]
)  # fmt: skip
def test_what_is_stored_inverted_is_turned_over_once(tags):
    """About the middle of its window, else of its own values, else, a layer, of all that can be stored."""
    stored = np.array([[3, 5, 9, 100]], np.uint16)
    padding = stored == 100
    assert shown(stored, **tags) == ([[100, 98, 94, 3]], True, [INVERTED])
    assert shown(stored, padding, **tags) == ([[9, 7, 3, -88]], True, [INVERTED])
    assert shown(stored, np.ones((1, 4), bool), **tags) == ([[100, 98, 94, 3]], True, [INVERTED])
    assert shown(stored, window=False, BitsStored=8, **tags) == ([[252, 250, 246, 155]], True, [INVERTED])
    values = stored.astype(np.float32)
    assert shown(values, window=False, BitsStored=8, **tags) == ([[100, 98, 94, 3]], True, [INVERTED])
    window = {"WindowCenter": 6, "WindowWidth": 10, "VOILUTFunction": "LINEAR_EXACT", "BitsStored": 8}
    assert shown(stored, **window, **tags) == ([[204, 153, 51, 0]], True, [WINDOW, INVERTED])
    assert shown(stored, window=False, **window, **tags) == ([[252, 250, 246, 155]], True, [INVERTED])


def test_what_is_stored_as_seen_is_left():
    stored = np.array([[3, 5]], np.uint16)
    assert shown(stored) == ([[3, 5]], False, [])
    tags = {"PhotometricInterpretation": "MONOCHROME2", "PresentationLUTShape": "IDENTITY"}
    assert shown(stored, **tags) == ([[3, 5]], False, [])


# --- one frame ---


def opened(tmp_path: Path, ds):
    path = tmp_path / "a.dcm"
    path.write_bytes(to_bytes(ds).replace(STANDS_FOR, DEFLATED_FRAMES))
    header = open_header(path)
    return header, check_pixels(header)


def test_values_that_are_no_number_are_0(tmp_path):
    values = np.array([[np.nan, np.inf, -np.inf, 2.5, -1]], np.float32)
    remarks: list[str] = []
    header = SimpleNamespace(dataset=head(), path=Path("a"))
    pixels, padding, inverted = grey(values, header, 0, remarks)
    assert (pixels.tolist(), padding, inverted) == ([[0, 0, 0, 2.5, -1]], None, False)
    assert remarks == ["pixels that are not finite were set to 0"]
    assert grey(values[:, 3:], header, 0, remarks)[0].tolist() == [[2.5, -1]]
    assert len(remarks) == 1


def test_the_values_of_a_layer(tmp_path):
    """Padding holds the lowest of the other values, and no window is applied."""
    stored = np.array([[9, 3, 5, 9], [4, 7, 9, 8]], np.uint16)
    tags = {"WindowCenter": 5, "WindowWidth": 4, "RescaleSlope": 2, "PixelPaddingValue": 9}
    header, options = opened(tmp_path, dicom(stored, **tags))
    with header.stream:
        header.remarks.append("first")
        values, remarks = values_of(header, options, 0)
    assert values.tolist() == [[6, 6, 10, 6], [8, 14, 6, 16]]
    assert remarks == ["first", "padding was taken for the lowest of the other values"]
    header, options = opened(tmp_path, dicom(stored))
    with header.stream:
        values, remarks = values_of(header, options, 0)
    assert (values.tolist(), remarks) == (stored.tolist(), [])


def test_a_palette_that_is_damaged(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(to_bytes(dicom(np.zeros((3, 4), np.uint8), PhotometricInterpretation="PALETTE COLOR")))
    with pytest.raises(InputError) as error:
        read_picture(path)
    assert str(error.value) == f"{path}: has a damaged colour palette {COPY}"


@pytest.mark.parametrize(
    ("keyword", "value", "code"),
    [
        ("BodyPartExamined", "LSPINE", "LSPINE"),
        ("BodyPartExamined", "A" * 16, "A" * 16),
        ("BodyPartExamined", "A" * 17, None),
        ("BodyPartExamined", "L SPINE", None),
        ("BodyPartExamined", "\xc4", None),
        ("BodyPartExamined", "", None),
        ("Modality", "MR", "MR"),
    ],
)
def test_codes_are_no_free_text(keyword, value, code):
    ds = Dataset()
    ds.add_new(keyword, "LO", value)
    header = SimpleNamespace(dataset=ds)
    assert frames.code_of(header, keyword) == code
    assert frames.modality_of(header) == (code if keyword == "Modality" else None)


# --- packed frames ---


def packed(pixels, code, syntax, **tags):
    ds = dicom(pixels, **tags)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([code])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    return ds


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def test_deflated_frames(tmp_path):
    """PS3.5 A.4.11: each frame is deflated by itself; what lies behind it is not looked at."""
    deep, odd = np.arange(15, dtype=np.uint16).reshape(3, 5) * 999, np.arange(15, dtype=np.uint8).reshape(3, 5)
    colour = np.arange(45, dtype=np.uint8).reshape(3, 5, 3)
    for pixels in (deep, odd, colour):
        data = pixels.tobytes()
        for code in (deflate(data), deflate(data + b"\0"), deflate(data + b"\1\2\3")):
            header, options = opened(tmp_path, packed(pixels, code, JPEGBaseline8Bit))
            with header.stream:
                before = header.stream.tell()
                np.testing.assert_array_equal(decode_frame(header, options, 0, []), pixels)
                assert header.stream.tell() == before
        for wrong in (data[:-1], b""):
            header, options = opened(tmp_path, packed(pixels, deflate(wrong), JPEGBaseline8Bit))
            with header.stream, pytest.raises(InputError) as error:
                decode_frame(header, options, 0, [])
            assert str(error.value) == f"{tmp_path / 'a.dcm'}: is cut short {COPY}"
    bits = np.arange(15).reshape(3, 5) % 3 == 1
    ds = packed(odd, deflate(np.packbits(bits, bitorder="little").tobytes()), JPEGBaseline8Bit,
                BitsAllocated=1, BitsStored=1, HighBit=0)  # fmt: skip
    header, options = opened(tmp_path, ds)
    with header.stream:
        np.testing.assert_array_equal(decode_frame(header, options, 0, []), bits)


def test_run_length_coded_bits(tmp_path):
    """PS3.5 8.2.2 and G.4: a header of 64 bytes, then literal runs of the packed bytes."""
    bits = np.arange(15).reshape(3, 5) % 3 == 1
    plain = np.packbits(bits, bitorder="little").tobytes()
    code = np.array([1, 64, *[0] * 14], "<u4").tobytes() + bytes([len(plain) - 1]) + plain
    code += b"\0" * (len(code) % 2)
    ds = packed(bits.astype(np.uint8), code, RLELossless, BitsAllocated=1, BitsStored=1, HighBit=0)
    header, options = opened(tmp_path, ds)
    with header.stream:
        np.testing.assert_array_equal(decode_frame(header, options, 0, []), bits)


def test_frames_of_an_extended_offset_table(tmp_path):
    """PS3.3 C.7.6.3.1.8: where each frame begins, and its length, in 64 bits."""
    frames_ = np.arange(45, dtype=np.uint8).reshape(3, 3, 5)
    codes = [deflate(one.tobytes()) for one in frames_]
    codes = [code + b"\0" * (len(code) % 2) for code in codes]
    ds = dicom(frames_, frames=3)
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.PixelData = encapsulate(codes, has_bot=False)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    lengths = [len(code) for code in codes]
    starts = np.cumsum([0, *(8 + length for length in lengths[:-1])])
    # The second is said to be the third: only a table that is read tells.
    ds.ExtendedOffsetTable = np.array([starts[0], starts[2], starts[1]], "<u8").tobytes()
    ds.ExtendedOffsetTableLengths = np.array([lengths[0], lengths[2], lengths[1]], "<u8").tobytes()
    header, options = opened(tmp_path, ds)
    with header.stream:
        assert [int(decode_frame(header, options, k, [])[0, 0]) for k in range(3)] == [0, 30, 15]
    del ds.ExtendedOffsetTableLengths
    header, options = opened(tmp_path, ds)
    with header.stream:
        assert [int(decode_frame(header, options, k, [])[0, 0]) for k in range(3)] == [0, 15, 30]


@pytest.mark.parametrize(("raw", "kept", "more"), [(0xF923, -1757, False), (0x0923, -1757, False), (0xF123, 291, True)])
def test_a_sign_may_be_repeated_above_the_bits_stored(tmp_path, raw, kept, more):
    """Of 12 bits, 0x923 is negative with or without ones above it; 0x123 is not, and ones above it are more bits."""
    values = np.array([[raw, 5]], np.uint16).view(np.int16)
    header, options = opened(tmp_path, dicom(values, BitsStored=12, HighBit=11, PixelRepresentation=1))
    remarks: list[str] = []
    with header.stream:
        assert decode_frame(header, options, 0, remarks).tolist() == [[kept, 5]]
    assert any("more than the 12 bits" in remark for remark in remarks) == more


@pytest.mark.parametrize(
    ("values", "stored", "high", "overlay", "kept", "said"),
    [
        ([1, 2, 4095], 12, 11, None, [1, 2, 4095], None),
        ([1, 2, 4095], 12, None, None, [1, 2, 4095], None),
        ([16, 32], 12, 15, None, [1, 2], "values stand in the upper bits (HighBit 15): they were shifted"),
        ([17, 32], 12, 15, None, [17, 32], None),  # none above is set, and some below
        ([0xF011, 32], 12, 15, None, [0xF01, 2], "values stand in the upper bits (HighBit 15): they were shifted"),
        ([2, 4], 12, 12, None, [1, 2], "values stand in the upper bits (HighBit 12): they were shifted"),
        ([0x8001, 2], 12, 11, None, [1, 2], "12"),
        ([0x1001, 2], 12, 11, None, [1, 2], "12"),
        ([0x8001, 2], 12, 11, 15, [1, 2], None),
        ([0x8001, 2], 12, 11, 0, [1, 2], "12"),
        ([0x8001, 2], 12, 16, None, [1, 2], "12"),  # beyond the bits that there are
        ([0x8001, 2], 12, 10, None, [1, 2], "12"),
        ([0x8001, 2], 15, 14, None, [1, 2], "15"),
    ],
)
@pytest.mark.parametrize("group", [0x6000, 0x60FE])
def test_bits_that_hold_grey_values(tmp_path, values, stored, high, overlay, kept, said, group):
    ds = dicom(np.array([values], np.uint16), BitsStored=stored)
    del ds.HighBit
    if high is not None:
        ds.HighBit = high
    if overlay is not None:
        ds.add_new(group << 16 | 0x0102, "US", overlay)
    header, options = opened(tmp_path, ds)
    remarks: list[str] = []
    with header.stream:
        assert decode_frame(header, options, 0, remarks).tolist() == [kept]
    if said and said.isdigit():
        said = (
            f"pixels hold more than the {said} bits that BitsStored says: the bits above were left out, the picture "
            "may be wrong"
        )
    assert remarks == ([said] if said else [])


@pytest.mark.parametrize(
    ("values", "kept", "said"),
    [
        ([-5, 7], [-5, 7], False),
        ([0x0FFB, 7], [-5, 7], False),  # the sign is not repeated
        ([0x8001 - 65536, 7], [1, 7], True),
        ([0x7800, 7], [-2048, 7], True),
        ([-2049, 7], [2047, 7], True),
    ],
)
def test_bits_that_hold_signed_values(tmp_path, values, kept, said):
    header, options = opened(tmp_path, dicom(np.array([values], np.int16), BitsStored=12, HighBit=11))
    with header.stream:
        assert decode_frame(header, options, 0, remarks := []).tolist() == [kept]
    assert bool(remarks) == said
